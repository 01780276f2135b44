// @ts-check
/* The bar above every view: the way home, the balance, the language, and what else one sets. */
import {fill, h, icon, showDialog} from './dom.js';

const LINKS = [
    {key: 'nav.send', href: './', here: (p) => !p.has('e') && !p.has('v')},
    {key: 'nav.records', href: '?v=received', here: (p) => ['received', 'sent', 'ledger'].includes(p.get('v'))},
];

/**
 * Draw the bar into place for the view that params name; call it again after any change.
 * @param {import('../types').App} app
 * @param {HTMLElement} place
 * @param {URLSearchParams} params
 * @param {{keep?: boolean}} [options] keep: an open menu stays open
 */
export function drawBar(app, place, params, {keep = true} = {}) {
    const {t} = app.i18n;
    if (params.has('wall')) {
        fill(place); /* a projector shows the envelope alone */
        return;
    }
    const signedIn = app.store.token() !== null;
    const open = keep && (place.querySelector('#menu')?.hasAttribute('open') ?? false);
    const focused = place.contains(document.activeElement)
        ? document.activeElement?.getAttribute('data-do') : null;
    fill(place,
        h('div', {class: 'top'},
            h('a', {class: 'brand', href: './'},
                icon('packet'), h('span', null, t('app'))),
            balance(app),
            h('button', {class: 'plain-button', 'data-do': 'language', lang: t('language.lang'),
                onclick: () => app.setLanguage(app.i18n.other)}, t('language')),
            signedIn && menu(app, open)),
        signedIn && h('nav', {'aria-label': t('nav')}, LINKS.map(({key, href, here}) =>
            h('a', {href, 'aria-current': here(params) ? 'page' : null}, t(key)))));
    if (focused) {
        /** @type {HTMLElement | null} */ (place.querySelector(`[data-do="${focused}"]`))?.focus();
    }
}

function balance(app) {
    const {me} = app.account;
    return h('span', {class: 'who'}, me && h('a', {
        id: 'balance', href: '?v=ledger', 'data-fen': me.balance,
        'aria-label': app.i18n.t('balance.label', {amount: app.money(me.balance)}),
    }, app.money(me.balance)));
}

/** @param {import('../types').App} app */
function menu(app, open) {
    const {t} = app.i18n;
    const sound = app.store.sound();
    const me = app.account.me;
    const item = (name, picture, words, more) => h('button', {class: 'menu-item', 'data-do': name, ...more},
        icon(picture), h('span', null, t(words)));
    return h('details', {id: 'menu', open, ontoggle: listenForEscape, onfocusout: closeWhenLeft},
        h('summary', {'aria-label': t('menu')}, icon('more')),
        h('div', {class: 'sheet'},
            h('p', {class: 'me'}, h('bdi', null, me?.name ?? '')),
            me && !me.user.startsWith('guest:') && h('p', {class: 'soft me-id'}, t('menu.id', {id: me.user})),
            app.site?.demo !== false && h('a', {class: 'menu-item', 'data-do': 'demo', href: '?v=rush'},
                icon('bolt'), h('span', null, t('nav.rush'))),
            item('sound', sound ? 'sound' : 'mute', 'sound',
                {'aria-pressed': String(sound), onclick: () => app.setSound(!sound)}),
            item('signout', 'out', 'nav.out', {onclick: () => app.session.askSignOut()})));
}

/* While the menu is open, Escape closes it, wherever the focus is. */
function listenForEscape(event) {
    const details = event.currentTarget;
    const close = ({key}) => {
        if (key === 'Escape' || !details.open || !details.isConnected) {
            document.removeEventListener('keydown', close);
        }
        if (key === 'Escape' && details.isConnected) {
            details.open = false;
            details.querySelector('summary').focus();
        }
    };
    if (details.open) {
        document.addEventListener('keydown', close);
    }
}

/* Closes the menu when something else gets the focus, or nothing does: a tap beside it. */
function closeWhenLeft(event) {
    const menuNode = event.currentTarget;
    setTimeout(() => {
        if (menuNode.isConnected && document.hasFocus() && !menuNode.contains(document.activeElement)) {
            menuNode.open = false;
        }
    });
}

/**
 * Show a banner while the browser is offline. Gives what draws it again.
 * @param {() => import('../types').App} app
 * @param {HTMLElement} place
 * @param {Window} window
 */
export function offlineBanner(app, place, window) {
    const draw = () => {
        place.hidden = window.navigator.onLine !== false;
        place.textContent = place.hidden ? '' : app().i18n.t('offline');
    };
    window.addEventListener('online', draw);
    window.addEventListener('offline', draw);
    draw();
    return draw;
}

/**
 * Ask a question with two buttons in a sheet of its own; resolves to whether it was answered yes.
 * @param {{title: string, text: string, yes: string, no: string}} words
 * @returns {Promise<boolean>}
 */
export function confirmSheet({title, text, yes, no}) {
    return new Promise((resolve) => {
        const sheet = h('dialog', {class: 'sheet-dialog', 'aria-labelledby': 'ask', onclose: () => {
            sheet.remove();
            resolve(sheet.returnValue === 'yes');
        }},
        h('form', {method: 'dialog', class: 'stack'},
            h('h2', {id: 'ask'}, title), h('p', null, text),
            h('div', {class: 'actions'},
                h('button', {class: 'button quiet', type: 'submit', value: 'no', 'data-do': 'no'}, no),
                h('button', {class: 'button', type: 'submit', value: 'yes', 'data-do': 'yes'}, yes))));
        showDialog(sheet);
    });
}
