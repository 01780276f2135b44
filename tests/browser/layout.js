/* What a careful eye would find wrong with the page as it stands in the window: returns a list of sentences, and
 * how many lines there are. Runs in the page after sight.js, in one function. */
const LEAST_TARGET = 43.5;
const faults = new Set();
const page = document.documentElement;

const words = (text) => JSON.stringify(text.trim().replace(/\s+/g, ' ').slice(0, 40));
const place = (e) => e.tagName.toLowerCase() + (e.id && '#' + e.id) + [...e.classList].map((c) => '.' + c).join('');

const isPainted = (style) => parseFloat(style.borderTopWidth) > 0 || style.backgroundImage !== 'none' ||
    !/^(transparent|rgba\(.*, 0\))$/.test(style.backgroundColor);

/* Whether a box, or the window, cuts the line off, or it sticks out of what is painted behind it. */
function checkClipping({node, element, rect}) {
    const slack = rect.height * 0.25;
    const cut = (what) => faults.add(`${what}: ${words(node.data)} in ${place(element)}`);
    if (rect.left < -1 || rect.right > page.clientWidth + 1) {
        cut('outside the window');
    }
    let painted = null;
    for (let e = element; e && e !== document.body; e = e.parentElement) {
        const style = getComputedStyle(e);
        const box = e.getBoundingClientRect();
        const inline = style.display === 'inline' || style.display === 'contents';
        const sideways = rect.left < box.left - 1 || rect.right > box.right + 1;
        const upright = rect.top < box.top - slack || rect.bottom > box.bottom + slack;
        if (!inline && !(e instanceof SVGElement)) {
            if (sideways && (clips(style.overflowX) || scrolls(style.overflowX))) {
                cut(`cut off sideways by ${place(e)}`);
            }
            if (upright && clips(style.overflowY)) {
                cut(`cut off by ${place(e)}`);
            }
            if (!painted && isPainted(style)) {
                painted = e;
                if (sideways || upright) {
                    cut(`sticks out of ${place(e)}`);
                }
            }
        }
    }
}

/* Two lines of different texts on top of each other. The middle of each is compared: the boxes of
 * neighbouring lines may touch. */
function checkOverlaps(lines) {
    const boxes = lines.map(({node, element, rect}) => ({
        node, element, left: rect.left + 1, right: rect.right - 1,
        top: rect.top + rect.height * 0.22, bottom: rect.bottom - rect.height * 0.22,
    })).sort((a, b) => a.top - b.top);
    for (const [i, a] of boxes.entries()) {
        for (let j = i + 1; j < boxes.length && boxes[j].top < a.bottom; j++) {
            const b = boxes[j];
            if (a.node !== b.node && a.left < b.right && b.left < a.right) {
                faults.add(`overlap: ${words(a.node.data)} and ${words(b.node.data)} in ${place(b.element)}`);
            }
        }
    }
}

/* Text in the window with something painted over it. */
function checkCovered({node, element, rect}) {
    const stack = document.elementsFromPoint(rect.left + rect.width / 2, rect.top + rect.height / 2);
    const over = stack.slice(0, Math.max(0, stack.findIndex((e) => e.contains(element) || element.contains(e))));
    const cover = over.find((e) => e.checkVisibility(SHOWN) &&
        (isPainted(getComputedStyle(e)) || e.matches('img, canvas, svg, svg *')));
    if (cover) {
        faults.add(`covered by ${place(cover)}: ${words(node.data)} in ${place(element)}`);
    }
}

function textWidth(text, style) {
    const pen = document.createElement('canvas').getContext('2d');
    pen.font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    return pen.measureText(text).width;
}

/* Fields whose value, placeholder or chosen option is wider than they are. A field that cannot be written
 * to only holds what is copied. Phones zoom in on a field with letters of less than 16 points that gets the focus. */
function checkFields() {
    for (const field of root.querySelectorAll('input, select, textarea')) {
        if (!field.checkVisibility(SHOWN) || /^(radio|checkbox|range|file)$/.test(field.type)) {
            continue;
        }
        const style = getComputedStyle(field);
        if (parseFloat(style.fontSize) < 16) {
            faults.add(`small letters: ${style.fontSize} in ${place(field)}`);
        }
        if (field.readOnly) {
            continue;
        }
        const arrow = field.tagName === 'SELECT' ? 18 : 0;
        const room = field.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - arrow;
        const text = field.tagName === 'SELECT' ? field.selectedOptions[0]?.textContent ?? '' :
            field.value || field.placeholder;
        if (field.tagName !== 'TEXTAREA' && textWidth(text, style) > room + 1) {
            faults.add(`cut off: ${words(text)} in ${place(field)}`);
        }
    }
}

/* What is tapped is large enough for a thumb; a link within a sentence is as high as its line. */
function checkTargets() {
    for (const target of root.querySelectorAll('a[href], button, input, select, textarea, summary, [role=button]')) {
        const drawn = target.labels?.length && target.getBoundingClientRect().width < 30 ? target.labels[0] : target;
        if (!drawn.checkVisibility(SHOWN) || forReaders(drawn)) {
            continue;
        }
        const inSentence = getComputedStyle(target).display === 'inline' &&
            target.parentElement.innerText.trim() !== target.innerText.trim();
        const {width, height} = drawn.getBoundingClientRect();
        if (!inSentence && (width < LEAST_TARGET || height < LEAST_TARGET)) {
            faults.add(`small target: ${place(target)} ${words(drawn.innerText ?? '')} ` +
                `${Math.round(width)}x${Math.round(height)}`);
        }
    }
}

if (page.scrollWidth > page.clientWidth || window.innerWidth > page.clientWidth + 20) {
    faults.add(`scrolls sideways: ${page.scrollWidth} in ${page.clientWidth}`);
}
const lines = visibleLines();
lines.forEach(checkClipping);
checkOverlaps(lines);
lines.forEach(checkCovered);
checkFields();
checkTargets();
return {faults: [...faults], lines: lines.length};
