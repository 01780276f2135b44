/* The bar above every view: the way home, the records, the balance, the language. */
import {fill, h} from './dom.js';
import {formatMoney} from './money.js';

const LINKS = [
    {key: 'nav.send', view: null, href: './'},
    {key: 'nav.sent', view: 'sent', href: '?v=sent'},
    {key: 'nav.received', view: 'received', href: '?v=received'},
    {key: 'nav.ledger', view: 'ledger', href: '?v=ledger'},
];

/* Draws the bar into place for the view that params name; call it again after any change. */
export function drawBar(app, place, params) {
    const {t} = app.i18n;
    const {me} = app.account;
    const home = params.has('e') ? undefined : params.get('v');
    const link = ({key, view, href}) =>
        h('a', {href, 'aria-current': view === home ? 'page' : null}, t(key));
    fill(place,
        h('div', {class: 'top'},
            h('a', {class: 'brand', href: './'},
                h('img', {src: 'icon.svg', alt: '', width: 24, height: 24}), t('app')),
            h('span', {class: 'who'}, me && h('b', null, formatMoney(me.balance, me.currency))),
            h('button', {class: 'small', onclick: () => app.setLanguage(app.i18n.other)},
                t('language')),
            app.store.token() && h('button', {class: 'small', onclick: () => app.signOut()},
                t('nav.out'))),
        app.store.token() && h('nav', null, LINKS.map(link)));
}
