/* Every visible line of text with letters or digits: its box in the picture, and its colour with its opacity. What
 * cannot be used just now may be pale. Runs in the page after sight.js, in one function. */

const pen = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});

/* The computed colour as [r, g, b, alpha], whatever colour space it is written in. */
function rgba(color) {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = color;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
}

function opacityOf(element) {
    let all = 1;
    for (let e = element; e; e = e.parentElement) {
        all *= parseFloat(getComputedStyle(e).opacity);
    }
    return all;
}

const [left, top] = dialogs.length ? [0, 0] : [scrollX, scrollY];
return visibleLines().filter(({node, element}) =>
    /[\p{L}\p{N}]/u.test(node.data) && !element.closest(':disabled, [aria-disabled=true]'),
).map(({node, element, rect}) => {
    const style = getComputedStyle(element);
    const [r, g, b, alpha] = rgba(element instanceof SVGElement ? style.fill : style.color);
    return {
        text: node.data.trim().slice(0, 40), color: [r, g, b, alpha * opacityOf(element)],
        box: [rect.left + left, rect.top + top, rect.right + left, rect.bottom + top],
    };
});
