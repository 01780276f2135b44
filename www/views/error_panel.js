/* What goes wrong, each with a face of its own and a way on. */
import {fill, h, icon} from './dom.js';

const ICONS = {
    offline: 'cloud', timeout: 'clock', unavailable: 'clock', rate_limited: 'clock',
    token_expired: 'key', unauthorized: 'key', private: 'lock', not_recipient: 'lock',
    insufficient_funds: 'purse', limit_exceeded: 'purse', not_found: 'search', guests_off: 'lock',
};

/* The name of an ApiError's face. */
export function troubleOf(error) {
    return error.code === 'network' ? 'offline' : error.code;
}

/* code: of an ApiError or of our own. again: what the button for another try does; waiting: it is tried
 * again by itself; actions: further ways on; home: whether the start is one. compact: within a form. */
export function troubleFace(app, code, {again, waiting, actions = [], home = !again, detail, compact} = {}) {
    const {t, has} = app.i18n;
    const known = has(`trouble.${code}.title`) ? code : 'other';
    return h('section', {
        class: compact ? 'trouble compact' : 'trouble card', 'data-trouble': code, role: 'alert',
    },
    h('span', {class: 'trouble-icon'}, icon(ICONS[code] ?? 'search')),
    h('div', {class: 'trouble-words'},
        h(compact ? 'p' : 'h1', {class: 'trouble-title', tabindex: -1}, t(`trouble.${known}.title`)),
        h('p', null, t(`trouble.${known}.text`, {detail: detail ?? code})),
        waiting && h('p', {class: 'soft waiting'}, t('trouble.waiting'))),
    h('div', {class: 'actions'},
        again && h('button', {class: 'button', 'data-do': 'again', type: 'button', onclick: again}, t('again')),
        actions,
        home && h('a', {class: 'button quiet', href: './'}, t('home'))));
}

/* Puts the focus on the title of a trouble that was just shown. */
export function focusTrouble(place) {
    place.querySelector('.trouble-title')?.focus();
}

/* A trouble in the place of a whole view: {app, node, signal}. Without a token, "unauthorized" means an
 * envelope that is for certain people. */
export function showTrouble({app, node, signal}, error, options) {
    if (signal.aborted) {
        return;
    }
    const code = error.code === 'unauthorized' ? 'private' : troubleOf(error);
    fill(node, troubleFace(app, code, {detail: error.detail, ...options}));
    app.setState('trouble');
    focusTrouble(node);
}
