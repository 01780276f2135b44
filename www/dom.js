/* Building elements. Text only ever becomes text nodes, never markup, so what people type cannot
 * become code. No element gets an inline style or handler attribute: the page's policy forbids it. */

/* h('p', {class: 'x', onclick: f, disabled: true}, 'text', node, null, [more]) -> element.
 * A property that begins with "on" is a listener; false, null and undefined leave an attribute or
 * a child out; true gives an empty attribute. */
export function h(tag, props, ...children) {
    const node = document.createElement(tag);
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
    node.replaceChildren();
    put(node, children);
}

/* Copies text to the clipboard; pages served over plain HTTP have no clipboard API, so there the
 * given input is selected and copied the old way. Resolves to whether it worked. */
export async function copyText(text, input) {
    if (navigator.clipboard) {
        try {
            await navigator.clipboard.writeText(text);
            return true;
        } catch {
            /* refused: the old way may still work */
        }
    }
    input.focus();
    input.select();
    return document.execCommand('copy');
}
