// @ts-check
/* Passing an envelope on: its link, copied alone, the browser's share sheet or links to chats, a QR code to show, keep
 * and print. What fails says so and offers another way. The address stays the envelope's: people copy it, too. */
import {claimsOf} from '../lib/browser_storage.js';
import {persist} from '../lib/retry.js';
import {copyText, fill, focusOn, h, icon, spoken} from './dom.js';
import {errorPanel, panelCodeOf} from './error_panel.js';

const SAID_MS = 4000;

/** @param {import('../types').App} app */
export function shareView(app, params, signal) {
    const {t} = app.i18n;
    const id = params.get('e');
    const asked = window.history.state?.share === true;
    window.history.replaceState({share: true}, '', '?e=' + id);
    const node = h('div', {class: 'narrow stack'}, h('p', {class: 'loading', role: 'status'}, t('loading')));
    load(app, id, node, {asked, signal});
    return {title: t('share.link'), node, data: {view: 'share', state: 'loading'}};
}

/* The address that was visited, under whatever name the reader knows the service. */
export function linkOf(id) {
    return String(new URL('?e=' + id, new URL('.', document.baseURI)));
}

/** @param {import('../types').App} app */
async function load(app, id, node, {asked, signal}) {
    try {
        const [{body}, qr] = await Promise.all([
            persist(() => app.api.envelope(id, {limit: 1}, {signal}), {tries: 6, signal, pause: app.pause}),
            import('./qr.js').catch(() => null),
        ]);
        const own = claimsOf(app.store.token())?.sub === body.sender.user;
        if (!own && !asked) {
            window.history.replaceState(null, '', '?e=' + id); /* a stranger's link leads to the envelope */
            await app.show();
            return;
        }
        fill(node, sharePanel(app, body, {own, qr}));
        app.setState('ready');
        focusOn(node.querySelector('h1'));
    } catch (error) {
        if (!signal.aborted) {
            const again = ['not_found', 'not_recipient'].includes(error.code) ? null : app.show;
            fill(node, errorPanel(app, panelCodeOf(error), {again, detail: error.detail}));
            app.setState('trouble');
        }
    }
}

/** @param {import('../types').App} app */
function sharePanel(app, envelope, {own, qr}) {
    const {t} = app.i18n;
    const link = linkOf(envelope.id);
    const words = t('share.words', {name: envelope.sender.name, greeting: envelope.greeting});
    const said = h('p', {class: 'soft said', id: 'share-said', role: 'status'});
    const field = h('input', {id: 'link', readonly: true, value: link, onfocus: (e) => e.target.select()});
    return h('section', {class: 'card share center stack'},
        h('span', {class: 'done', 'aria-hidden': 'true'}, icon('check')),
        h('h1', {tabindex: -1}, t(own ? 'share.title' : 'share.link')),
        own && h('p', {class: 'soft'}, t('share.lead', {amount: app.money(envelope.total), n: envelope.shares})),
        qr && qrFigure(app, qr.qrPicture(link), link, envelope),
        h('label', {class: 'unseen', for: 'link'}, t('share.address')), field,
        h('div', {class: 'pair'}, copyButton(app, link, field, said), shareButton(app, {words, link}, said)),
        said,
        'share' in navigator ? null : chatLinks(app, words, link),
        h('a', {class: 'button quiet wide', 'data-do': 'look', href: '?e=' + envelope.id}, t('share.look')));
}

/* The code, and what one does with it: keep it, print it as a poster. */
function qrFigure(app, picture, link, envelope) {
    const {t} = app.i18n;
    return h('figure', {class: 'qr'},
        h('p', {class: 'poster-only greeting', ...spoken(envelope.greeting)}, envelope.greeting),
        h('img', {id: 'qr', src: picture, alt: t('share.qr.alt', {link})}),
        h('p', {class: 'poster-only poster-link'}, link),
        h('figcaption', {class: 'pair'},
            h('a', {class: 'link', 'data-do': 'keep-qr', href: picture, download: `hongbao-${envelope.id}.png`},
                t('share.qr.keep')),
            h('button', {class: 'link', 'data-do': 'print', onclick: () => window.print()}, t('share.print'))));
}

/** @param {import('../types').App} app */
function copyButton(app, link, field, said) {
    const {t} = app.i18n;
    const label = h('span', null, t('share.copy'));
    async function copy() {
        const done = await copyText(link);
        label.textContent = t(done ? 'share.copied' : 'share.copy');
        said.textContent = t(done ? 'share.copied.long' : 'share.uncopied');
        if (!done) {
            field.focus();
        }
        setTimeout(() => {
            label.textContent = t('share.copy');
        }, SAID_MS);
    }
    return h('button', {class: 'button wide', 'data-do': 'copy', onclick: copy}, icon('copy'), label);
}

/* The browser's share sheet, where there is one. Closing it is no failure. */
function shareButton(app, {words, link}, said) {
    const {t} = app.i18n;
    async function share() {
        try {
            await navigator.share({title: t('app'), text: words, url: link});
        } catch (error) {
            if (error.name !== 'AbortError') {
                said.textContent = t('share.unshared');
                said.after(chatLinks(app, words, link));
            }
        }
    }
    return 'share' in navigator && h('button', {class: 'button wide', 'data-do': 'share', onclick: share},
        icon('share'), h('span', null, t('share.share')));
}

/* Chats that take a text by an address. */
function chatLinks(app, words, link) {
    const {t} = app.i18n;
    const text = encodeURIComponent(words + '\n' + link);
    const url = encodeURIComponent(link);
    const chat = (name, href) => h('a', {class: 'link', 'data-do': 'chat-' + name, href, target: '_blank', rel: 'noopener'},
        t('share.chat.' + name));
    return h('p', {class: 'chats'},
        chat('whatsapp', 'https://wa.me/?text=' + text),
        chat('telegram', `https://t.me/share/url?url=${url}&text=${encodeURIComponent(words)}`),
        chat('mail', `mailto:?subject=${encodeURIComponent(t('share.subject'))}&body=${text}`));
}
