// @ts-check
/* Shows what went wrong, each kind with its words and a way on. */
import {claimsOf} from '../lib/browser_storage.js';
import {fill, h, icon} from './dom.js';

const ICONS = {
    offline: 'cloud', timeout: 'clock', unavailable: 'clock', rate_limited: 'clock',
    token_expired: 'key', unauthorized: 'key', private: 'lock', not_recipient: 'lock', user_blocked: 'lock', not_for_guests: 'lock',
    insufficient_funds: 'purse', limit_exceeded: 'purse', not_found: 'search', guests_off: 'lock',
};

/** The code under which an error is shown. @param {import('../types').Failure} error */
export function panelCodeOf(error) {
    return error.code === 'network' ? 'offline' : error.code;
}

/**
 * What went wrong, and the ways on.
 * @param {import('../types').App} app
 * @param {string} code of an ApiError or of our own
 * @param {import('../types').PanelOptions} [options]
 */
export function errorPanel(app, code, {again, waiting, actions = [], home = !again, detail, compact} = {}) {
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

/** Move the focus to the title of a panel that was just shown. @param {HTMLElement} place */
export function focusPanel(place) {
    /** @type {HTMLElement | null} */ (place.querySelector('.trouble-title'))?.focus();
}

/**
 * Show an error in the place of a whole view. To a guest, an envelope of another kind of money says so. Without a token, "unauthorized" means an envelope for certain people.
 * @param {{app: import('../types').App, node: HTMLElement, signal: AbortSignal}} place
 * @param {import('../types').Failure} error
 * @param {import('../types').PanelOptions} options
 */
export function showError({app, node, signal}, error, options) {
    if (signal.aborted) {
        return;
    }
    const guest = claimsOf(app.store.token())?.sub.startsWith('guest:');
    const code = error.code === 'unauthorized' ? 'private'
        : error.code === 'not_recipient' && guest ? 'not_for_guests' : panelCodeOf(error);
    fill(node, errorPanel(app, code, {detail: error.detail, ...options}));
    app.setState('trouble');
    focusPanel(node);
}
