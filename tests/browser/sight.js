/* What of the page is text that an eye can see: the beginning of the scripts that look at the page. */
const dialogs = document.querySelectorAll('dialog:modal');
/* What lies on top of all else, where something does: a dialog, or a menu that is open. */
const menu = [...document.querySelectorAll('details[open] > :not(summary)')]
    .find((e) => getComputedStyle(e).position === 'absolute');
const root = dialogs.length ? dialogs[dialogs.length - 1] : menu ?? document.body;
const SHOWN = {checkOpacity: true, checkVisibilityCSS: true};
const clips = (overflow) => overflow === 'hidden' || overflow === 'clip';
const scrolls = (overflow) => overflow === 'auto' || overflow === 'scroll';

/* Hidden from the eye on purpose, for screen readers only. */
function forReaders(element) {
    for (let e = element; e; e = e.parentElement) {
        const box = e.getBoundingClientRect();
        const style = getComputedStyle(e);
        if (style.position === 'absolute' && box.width <= 2 && box.height <= 2 && clips(style.overflowX)) {
            return true;
        }
    }
    return false;
}

/* In a box that scrolls, and not quite in its window. */
function scrolledAway(element, rect) {
    for (let e = element; e && e !== document.body; e = e.parentElement) {
        const box = e.getBoundingClientRect();
        if (scrolls(getComputedStyle(e).overflowY) && (rect.top < box.top || rect.bottom > box.bottom)) {
            return true;
        }
    }
    return false;
}

/* Every line of visible text: {node, element, rect}. */
function visibleLines() {
    const lines = [];
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const element = node.parentElement;
        if (!node.data.trim() || element.closest('script, style, noscript, title, select, textarea') ||
            !element.checkVisibility(SHOWN) || forReaders(element)) {
            continue;
        }
        const range = document.createRange();
        range.selectNodeContents(node);
        for (const rect of range.getClientRects()) {
            if (rect.width > 1 && rect.height > 1 && !scrolledAway(element, rect)) {
                lines.push({node, element, rect});
            }
        }
    }
    return lines;
}
