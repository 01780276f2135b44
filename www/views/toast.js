// @ts-check
/* A sentence at the foot of the window for a few seconds, for what needs no panel. */
import {h} from './dom.js';

const SHOWN_MS = 5000;

/**
 * @param {import('../types').App} app
 * @param {string} text
 */
export function toast(app, text) {
    document.querySelector('.toast')?.remove();
    const node = h('p', {class: 'toast', 'aria-hidden': 'true'}, text);
    document.body.append(node);
    app.announce(text);
    setTimeout(() => node.remove(), SHOWN_MS);
}
