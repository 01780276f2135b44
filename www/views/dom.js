// @ts-check
/* Building elements. Text only ever becomes text nodes, never markup, so what people type cannot
 * become code. No element gets an inline style or handler attribute: the page's policy forbids it. */

const SVG = 'http://www.w3.org/2000/svg';

/* A button sends a form, and a field holds something else than text, only where its type says so. */
/** @type {Record<string, string>} */
const TYPES = {button: 'button', input: 'text'};

/**
 * Make an element: h('p', {class: 'x', onclick: f, disabled: true}, 'text', node, null, [more]).
 * A property that begins with "on" is a listener; false, null and undefined leave an attribute or a child out; true
 * gives an empty attribute.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, any> | null} [props]
 * @param {any[]} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, props, ...children) {
    const type = TYPES[tag];
    return make(document.createElement(tag), type ? {type, ...props} : props, children);
}

/**
 * Make an element of SVG: s('svg', {viewBox: '0 0 9 9'}, s('path', {d: '...'})).
 * @param {string} tag
 * @param {Record<string, any> | null} [props]
 * @param {any[]} children
 * @returns {SVGElement}
 */
export function s(tag, props, ...children) {
    return make(document.createElementNS(SVG, tag), props, children);
}

function make(node, props, children) {
    for (const [name, value] of Object.entries(props ?? {})) {
        if (value === false || value === null || value === undefined) {
            continue;
        }
        if (name.startsWith('on')) {
            node.addEventListener(name.slice(2), value);
        } else if (name === 'value') {
            node.value = value;
        } else {
            node.setAttribute(name, value === true ? '' : String(value));
        }
    }
    put(node, children);
    return node;
}

/* Appends children (nested arrays allowed) to node. */
function put(node, children) {
    for (const child of children.flat(Infinity)) {
        if (child !== null && child !== undefined && child !== false) {
            node.append(child);
        }
    }
}

/* Replaces all that is in node. */
export function fill(node, ...children) {
    node.textContent = ''; /* Chrome 80 to 85 have no replaceChildren */
    put(node, children);
}

/* A symbol of index.html, only to look at: the words beside it, or the label of its button, say it. */
export function icon(name) {
    return s('svg', {class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true', focusable: 'false'},
        s('use', {href: '#i-' + name}));
}

/* A person's first letter (or what else is given) on a colour of their own. */
export function avatar(name, more = '', shown = [...name][0] ?? '') {
    const letters = [...name];
    const tone = letters.reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 997, 7) % 6;
    return h('span', {class: `avatar tone${tone} ${more}`, 'aria-hidden': 'true'}, shown);
}

/* Scripts that name a language, so that a screen reader does not read Chinese with an English voice. */
const SCRIPTS = [
    [/[\u3040-\u30ff]/, 'ja'], [/[\u3400-\u9fff]/, 'zh'], [/[\uac00-\ud7af]/, 'ko'], [/[\u0600-\u06ff]/, 'ar'],
    [/[\u0590-\u05ff]/, 'he'], [/[\u0400-\u04ff]/, 'ru'], [/[\u0e00-\u0e7f]/, 'th'], [/[\u0900-\u097f]/, 'hi'],
    [/[A-Za-z]/, 'en'],
];

/**
 * The attributes of text that people wrote: its direction and, as its script tells, its language.
 * @param {string} text
 */
export function spoken(text) {
    const found = SCRIPTS.find(([script]) => /** @type {RegExp} */ (script).test(text));
    return {dir: 'auto', lang: found ? found[1] : null};
}

/** What people wrote, within a sentence. @param {string} text */
export function written(text) {
    return h('bdi', spoken(text), text);
}

/**
 * Move the focus to a node, and the node into the window.
 * @param {HTMLElement | null} node
 */
export function focusOn(node) {
    if (!node) {
        return;
    }
    node.focus({preventScroll: true});
    const {top, bottom} = node.getBoundingClientRect();
    if (top < 0 || bottom > window.innerHeight) {
        node.scrollIntoView({block: 'center'});
    }
}

/**
 * Show a dialog over the page. Browsers without dialogs (Safari before 15.4, Firefox before 98) show it in the page and
 * close it by its buttons.
 * @param {HTMLDialogElement} dialog
 */
export function showDialog(dialog) {
    document.body.append(dialog);
    if (typeof dialog.showModal === 'function') {
        dialog.showModal();
        return;
    }
    dialog.setAttribute('open', '');
    dialog.setAttribute('role', 'dialog');
    dialog.close = (value = '') => {
        dialog.returnValue = value;
        dialog.dispatchEvent(new Event('close'));
    };
    dialog.addEventListener('submit', (event) => {
        event.preventDefault();
        dialog.close(/** @type {any} */ (event).submitter?.value ?? /** @type {any} */ (document.activeElement)?.value);
    });
    const first = /** @type {HTMLElement | null} */ (dialog.querySelector('button, [tabindex]'));
    first?.focus();
}

/* An amount with its unit set smaller. */
export function amountParts(i18n, fen, currency) {
    return i18n.moneyParts(fen, currency).map(({type, value}) =>
        (type === 'currency' ? h('span', {class: 'unit'}, value) : value));
}

const CLIPBOARD_MS = 1500;

/* Copies text to the clipboard; resolves to whether it worked. Pages served over plain HTTP have no clipboard API, and
 * in browsers inside of apps it may refuse or never answer: then the text goes through a field that is selected and
 * copied the old way, which may throw. */
export async function copyText(text) {
    if (navigator.clipboard) {
        const copied = navigator.clipboard.writeText(text).then(() => true, () => false);
        const late = new Promise((resolve) => setTimeout(() => resolve(false), CLIPBOARD_MS));
        if (await Promise.race([copied, late])) {
            return true;
        }
    }
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    const field = h('textarea', {class: 'offstage', readonly: true, 'aria-hidden': 'true', value: text});
    document.body.append(field);
    field.select();
    try {
        return document.execCommand('copy');
    } catch {
        return false;
    } finally {
        field.remove();
        before?.focus();
    }
}

/* Whether the reader wants nothing to move. */
export function prefersStillness() {
    return window.matchMedia('(prefers-reduced-motion: reduce)').matches;
}
