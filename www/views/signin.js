// @ts-check
/* Signing in: at the start or at an envelope, as anyone may see it, as a guest with a name; or through a link with a
 * token, which asks before it takes the place of another user. Where guests are not admitted no name is asked for. */
import {claimsOf} from '../lib/browser_storage.js';
import {persist} from '../lib/retry.js';
import {admitsGuests} from '../lib/site.js';
import {packetCover, seal} from './cover.js';
import {fill, h, icon} from './dom.js';
import {errorPanel, focusPanel, panelCodeOf, showError} from './error_panel.js';

const OFF = ['not_found', 'method_not_allowed'];

/**
 * The form alone, for the start and for an envelope seen before signing in.
 * @param {import('../types').App} app
 * @param {AbortSignal} signal
 * @param {string} action the button's text
 * @param {string | null} [intent] the envelope to grab once the guest is signed in
 */
function guestForm(app, signal, action, intent = null) {
    const {t} = app.i18n;
    const trouble = h('div');
    const name = h('input', {
        id: 'name', name: 'name', autocomplete: 'nickname', maxlength: 32, required: true, enterkeyhint: 'go',
        placeholder: t('signin.example'), value: app.store.guestName(), 'data-first-focus': true,
        oninput: () => app.store.keepGuestName(name.value), onfocus: () => import('./signed_in.js').catch(() => null),
    });
    const button = h('button', {class: 'button gold wide', type: 'submit', 'data-do': 'enter'}, action);
    const waiting = (error) => fill(trouble,
        errorPanel(app, panelCodeOf(error), {waiting: true, compact: true, home: false}));

    function busy(yes) {
        button.disabled = yes;
        button.classList.toggle('busy', yes);
        button.textContent = yes ? t('signin.busy') : action;
    }

    async function enter(event) {
        event?.preventDefault();
        busy(true);
        fill(trouble);
        try {
            const {body} = await persist(() => app.api.guest(name.value.trim(), {signal}),
                {tries: 6, signal, pause: app.pause, onWait: waiting});
            app.store.keepGuestName('');
            app.session.signInGuest(body.token, intent);
        } catch (error) {
            if (!signal.aborted) {
                const off = OFF.includes(error.code);
                fill(trouble, errorPanel(app, off ? 'guests_off' : panelCodeOf(error),
                    {again: off ? null : enter, detail: error.detail, compact: true, home: false}));
                focusPanel(trouble);
                busy(false);
            }
        }
    }
    return h('form', {class: 'guest stack', onsubmit: enter},
        h('label', {for: 'name'}, t('signin.name')), name, button, trouble, resumeButton(app));
}

/**
 * The way in: a form where guests are admitted, else where to come from.
 * @param {import('../types').App} app
 * @param {boolean} guests
 * @param {() => HTMLElement} form
 */
function wayIn(app, guests, form) {
    const {t} = app.i18n;
    return guests ? form() : h('div', {class: 'guest stack', 'data-guests': 'off'},
        h('p', {class: 'way-in'}, icon('lock'), h('span', null, t('signin.chat'))), resumeButton(app));
}

/**
 * Back to the guest whose place a link's token had taken.
 * @param {import('../types').App} app
 */
function resumeButton(app) {
    const guest = app.store.asideGuest();
    return guest && h('button', {class: 'button quiet wide', type: 'button', 'data-do': 'resume',
        onclick: () => app.session.resumeGuest()}, app.i18n.t('signin.resume', {name: guest.name}));
}

/**
 * The trouble that ended the last session, shown once.
 * @param {import('../types').App} app
 */
function sessionTrouble(app) {
    const code = app.session.takeTrouble();
    return code && errorPanel(app, code + (admitsGuests(app.site) ? '' : '_chat'), {home: false, compact: true});
}

/**
 * The start of a visitor who is not signed in.
 * @param {import('../types').App} app
 */
export function signInView(app, params, signal) {
    const {t} = app.i18n;
    const trouble = sessionTrouble(app);
    const guests = admitsGuests(app.site);
    const step = (picture, n) => h('li', null, icon(picture), h('span', null, t('signin.step.' + (n + 1))));
    return {
        title: t('signin.title'),
        data: {view: 'signin', state: trouble ? 'trouble' : 'ready'},
        node: h('div', {class: 'narrow stack'}, trouble,
            h('section', {class: 'packet welcome'},
                h('div', {class: 'face'},
                    h('h1', null, t('signin.title')),
                    h('p', {class: 'lead'}, t(guests ? 'signin.lead' : 'signin.lead.chat'))),
                h('div', {class: 'seal', 'aria-hidden': 'true'}, '福'),
                wayIn(app, guests, () => guestForm(app, signal, t('signin.go')))),
            h('p', {class: 'soft what'}, t('signin.what')),
            h('ol', {class: 'steps'}, ['purse', 'share', 'crown'].map(step))),
    };
}

/**
 * An envelope seen by a visitor who is not signed in.
 * @param {import('../types').App} app
 */
export function previewView(app, params, signal) {
    const {t} = app.i18n;
    const node = h('div', {class: 'envelope'}, h('p', {class: 'loading', role: 'status'}, t('loading')));
    preview({app, id: params.get('e'), node, signal});
    return {title: t('app'), node, data: {view: 'envelope', state: 'loading'}};
}

async function preview(place) {
    const {app, id, node, signal} = place;
    const {t} = app.i18n;
    const trouble = sessionTrouble(app);
    try {
        const {body} = await persist(() => app.api.preview(id, {signal}), {tries: 6, signal, pause: app.pause,
            onWait: (error) => showError(place, error, {waiting: true})});
        const closed = body.state !== 'open';
        const guests = admitsGuests(app.site) && body.guests !== false;
        const hint = closed ? t('over.' + body.state) : body.left === undefined ? '' : t('count.left', {n: body.left});
        const action = t(closed ? 'signin.look' : 'signin.grab');
        app.setTitle(t('envelope.title', {name: body.sender.name, greeting: body.greeting}));
        fill(node, h('div', {class: 'hero stack'}, trouble,
            packetCover(app.i18n, body, {state: closed ? 'closed preview' : 'sealed preview', heart: [seal(hint),
                wayIn(app, guests, () => guestForm(app, signal, action, closed ? null : id))]}),
            h('p', {class: 'soft what'}, t('signin.what'))));
        app.setState('preview');
    } catch (error) {
        const again = ['unauthorized', 'not_found'].includes(error.code) ? null : app.show;
        showError(place, error, {again});
    }
}

/**
 * Asked when a link's token belongs to another user than the one signed in: otherwise a link could make people win
 * money into a stranger's account without noticing.
 * @param {import('../types').App} app
 */
export function switchView(app, token, done) {
    const {t} = app.i18n;
    const names = {old: claimsOf(app.store.token())?.name ?? '?', new: claimsOf(token)?.name ?? '?'};
    return h('section', {class: 'card narrow stack center'},
        h('h1', {class: 'lines'}, t('signin.other', names)),
        h('button', {class: 'button wide', 'data-do': 'switch', onclick: () => done(true)},
            t('signin.switch', names)),
        h('button', {class: 'button quiet wide', 'data-do': 'stay', onclick: () => done(false)},
            t('signin.stay', names)));
}
