// @ts-check
/* The hall: one envelope on a projector. A large code to scan, the names as they open, how far it has come, the top
 * three, the end. Reads only; it is for whoever may see the envelope's list. */
import {watchEnvelope} from '../lib/envelope_watch.js';
import {avatar, fill, h, icon, spoken} from './dom.js';
import {showError} from './error_panel.js';
import {linkOf} from './share.js';

/* Names that are shown at once, the latest first. */
const NAMES = 24;
const TOP = 3;

/** @param {import('../types').App} app */
export function wallView(app, params, signal) {
    const {t} = app.i18n;
    const id = params.get('e');
    const node = h('div', {class: 'wall'}, h('p', {class: 'loading', role: 'status'}, t('loading')));
    const place = {app, id, node, signal, parts: buildParts(app, id), known: 0};
    const watch = watchEnvelope({
        ask: (page, options) => app.api.envelope(id, page, options),
        visible: app.visible,
        pause: app.pause,
        signal,
        onError: (error) => showError(place, error, {}),
        onTrouble: (error) => !place.known && showError(place, error, {waiting: true}),
        onChange: (envelope, claims) => draw(place, envelope, claims),
    });
    watch.wantClaims();
    const listen = (event) => press(app, id, event);
    document.addEventListener('keydown', listen);
    signal.addEventListener('abort', () => document.removeEventListener('keydown', listen));
    return {title: t('wall.title'), node, data: {view: 'wall', state: 'loading'}};
}

/* f: full screen, Escape: back to the envelope. */
function press(app, id, event) {
    if (event.key === 'f' && !event.ctrlKey && !event.metaKey) {
        toggleFullScreen();
    } else if (event.key === 'Escape' && !document.fullscreenElement) {
        app.go('?e=' + id);
    }
}

function toggleFullScreen() {
    if (document.fullscreenElement) {
        document.exitFullscreen();
    } else {
        document.documentElement.requestFullscreen?.().catch(() => undefined);
    }
}

function buildParts(app, id) {
    const {t} = app.i18n;
    const link = linkOf(id);
    const parts = {
        code: h('figure', {class: 'wall-code'}, h('figcaption', null, link.replace(/^https?:\/\//, ''))),
        greeting: h('h1', {class: 'wall-greeting'}),
        count: h('p', {class: 'wall-count', id: 'wall-count', role: 'status'}),
        bar: h('progress', {'aria-labelledby': 'wall-count'}),
        top: h('ol', {id: 'wall-top', class: 'wall-top', 'aria-label': t('wall.top')}),
        names: h('ul', {id: 'wall-names', class: 'wall-names', 'aria-label': t('envelope.everybody')}),
        full: h('button', {class: 'link wall-full', 'data-do': 'full', onclick: toggleFullScreen}, t('wall.full')),
    };
    import('./qr.js').then(({qrPicture}) =>
        parts.code.prepend(h('img', {id: 'wall-qr', src: qrPicture(link), alt: t('share.qr.alt', {link})})),
    ).catch(() => undefined);
    return parts;
}

function draw(place, envelope, claims) {
    const {app, node, parts} = place;
    const {t} = app.i18n;
    const over = envelope.state !== 'open';
    if (!place.known) {
        place.known = 1;
        fill(node, parts.code, h('div', {class: 'wall-side'},
            parts.greeting, parts.count, parts.bar, parts.top, parts.names, parts.full));
        Object.entries(spoken(envelope.greeting)).forEach(([name, value]) => value && parts.greeting.setAttribute(name, value));
        parts.greeting.textContent = envelope.greeting;
        app.setTitle(t('envelope.title', {name: envelope.sender.name, greeting: envelope.greeting}));
    }
    parts.count.textContent = over ? t('wall.over.' + envelope.state, {n: envelope.opened_shares})
        : t('wall.count', {opened: envelope.opened_shares, shares: envelope.shares});
    parts.bar.max = envelope.shares;
    parts.bar.value = envelope.opened_shares;
    drawNames(app, parts.names, claims);
    drawTop(app, parts.top, envelope, claims);
    app.setState(envelope.state);
}

/* New names come in front and move; those there already stay where they are in the list. */
function drawNames(app, list, claims) {
    const shown = new Set([...list.children].map((node) => Number(node.dataset.seq)));
    for (const {seq, name, amount} of claims.slice(-NAMES)) {
        if (!shown.has(seq)) {
            list.prepend(h('li', {class: 'wall-name', 'data-seq': seq}, avatar(name),
                h('span', {class: 'main', ...spoken(name)}, name), h('span', {class: 'side'}, app.money(amount))));
        }
    }
    while (list.children.length > NAMES) {
        list.lastElementChild.remove();
    }
}

function drawTop(app, list, envelope, claims) {
    if (envelope.mode !== 'lucky' || claims.length < TOP) {
        return;
    }
    const best = [...claims].sort((a, b) => b.amount - a.amount || a.seq - b.seq).slice(0, TOP);
    fill(list, best.map(({seq, name, amount}, n) => h('li', {class: 'wall-best', 'data-seq': seq},
        n === 0 && icon('crown'), h('span', {class: 'main', ...spoken(name)}, name),
        h('span', {class: 'side'}, app.money(amount)))));
}
