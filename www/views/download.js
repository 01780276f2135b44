// @ts-check
/* Saves what the page has made as a file. */
import {h} from './dom.js';

/**
 * @param {string} name of the file
 * @param {string} type
 * @param {string} content
 */
export function saveFile(name, type, content) {
    const url = URL.createObjectURL(new Blob([content], {type}));
    const link = h('a', {href: url, download: name, hidden: true});
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
}
