// @ts-check
/* Passing an envelope on: its link, copied with the greeting, the browser's share sheet, a QR code. */
import {persist} from '../lib/retry.js';
import {copyText, fill, h, icon} from './dom.js';
import {errorPanel, panelCodeOf} from './error_panel.js';

/** @param {import('../types').App} app */
export function shareView(app, params, signal) {
    const {t} = app.i18n;
    const id = params.get('e');
    const node = h('div', {class: 'narrow stack'}, h('p', {class: 'loading', role: 'status'}, t('loading')));
    load(app, id, node, signal);
    return {title: t('share.title'), node, data: {view: 'share', state: 'loading'}};
}

/* The address that was visited, under whatever name the reader knows the service. */
function linkOf(id) {
    return String(new URL('?e=' + id, new URL('.', document.baseURI)));
}

/** @param {import('../types').App} app */
async function load(app, id, node, signal) {
    try {
        const [{body}, qr] = await Promise.all([
            persist(() => app.api.envelope(id, {limit: 1}, {signal}), {tries: 4, signal, pause: app.pause}),
            import('./qr.js').catch(() => null),
        ]);
        fill(node, sharePanel(app, body, qr));
        app.setState('ready');
        node.querySelector('h1').focus();
    } catch (error) {
        if (!signal.aborted) {
            const again = ['not_found', 'not_recipient'].includes(error.code) ? null : app.show;
            fill(node, errorPanel(app, panelCodeOf(error), {again, detail: error.detail}));
            app.setState('trouble');
        }
    }
}

/** @param {import('../types').App} app */
function sharePanel(app, envelope, qr) {
    const {t} = app.i18n;
    const link = linkOf(envelope.id);
    const words = t('share.words', {name: envelope.sender.name, greeting: envelope.greeting});
    return h('section', {class: 'card share center stack'},
        h('span', {class: 'done', 'aria-hidden': 'true'}, icon('check')),
        h('h1', {tabindex: -1}, t('share.title')),
        h('p', {class: 'soft'}, t('share.lead', {amount: app.money(envelope.total), n: envelope.shares})),
        qr && h('figure', {class: 'qr'},
            h('img', {id: 'qr', src: qr.qrPicture(link), alt: t('share.qr.alt', {link})}),
            h('figcaption', {class: 'soft'}, t('share.qr'))),
        h('label', {class: 'unseen', for: 'link'}, t('share.address')),
        h('input', {id: 'link', readonly: true, value: link, onfocus: (e) => e.target.select()}),
        h('div', {class: 'pair'},
            copyButton(app, words + '\n' + link),
            'share' in navigator && shareButton(app, {title: t('app'), text: words, url: link})),
        h('a', {class: 'button quiet wide', 'data-do': 'look', href: '?e=' + envelope.id}, t('share.look')));
}

/** @param {import('../types').App} app */
function copyButton(app, text) {
    const {t} = app.i18n;
    const label = h('span', null, t('share.copy'));
    const button = h('button', {class: 'button wide', 'data-do': 'copy', onclick: copy}, icon('copy'), label);
    async function copy() {
        const done = await copyText(text);
        label.textContent = t(done ? 'share.copied' : 'share.uncopied');
        app.announce(label.textContent);
        button.focus();
    }
    return button;
}

/** @param {import('../types').App} app */
function shareButton(app, content) {
    const share = () => navigator.share(content).catch(() => undefined); /* closed without choosing */
    return h('button', {class: 'button wide', 'data-do': 'share', onclick: share},
        icon('share'), h('span', null, app.i18n.t('share.share')));
}
