// @ts-check
/* Coming in: at the start or at an envelope, as everybody may see it, as a guest with a name; or through a link with a
 * token, which asks before it takes the place of somebody already signed in. */
import {persist} from '../lib/retry.js';
import {claimsOf} from '../lib/browser_storage.js';
import {fill, h, icon} from './dom.js';
import {packetCover, seal} from './cover.js';
import {focusPanel, showError, errorPanel, panelCodeOf} from './error_panel.js';

/**
 * The form alone, for the start and for an envelope seen before signing in. action: the button's text.
 * @param {import('../types').App} app
 */
function guestForm(app, signal, action) {
    const {t} = app.i18n;
    const trouble = h('div');
    const name = h('input', {
        id: 'name', name: 'name', autocomplete: 'nickname', maxlength: 32, required: true,
        enterkeyhint: 'go', placeholder: t('signin.example'),
    });
    const button = h('button', {class: 'button gold wide', type: 'submit', 'data-do': 'enter'}, action);

    async function enter(event) {
        event?.preventDefault();
        button.disabled = true;
        fill(trouble);
        try {
            const wanted = name.value.trim();
            const {body} = await persist(() => app.api.guest(wanted, {signal}),
                {tries: 3, signal, pause: app.pause});
            app.session.signInGuest(body.token);
        } catch (error) {
            if (!signal.aborted) {
                const off = error.code === 'not_found' || error.code === 'method_not_allowed';
                fill(trouble, errorPanel(app, off ? 'guests_off' : panelCodeOf(error),
                    {again: off ? null : enter, detail: error.detail, compact: true, home: false}));
                focusPanel(trouble);
                button.disabled = false;
            }
        }
    }
    return h('form', {class: 'guest stack', onsubmit: enter},
        h('label', {for: 'name'}, t('signin.name')), name, button, trouble, resumeButton(app));
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
 * The trouble that ended the last session, said once.
 * @param {import('../types').App} app
 */
function sessionTrouble(app) {
    const code = app.session.takeTrouble();
    return code && errorPanel(app, code, {home: false, compact: true});
}

/**
 * The start of somebody who is not signed in.
 * @param {import('../types').App} app
 */
export function signInView(app, params, signal) {
    const {t} = app.i18n;
    const trouble = sessionTrouble(app);
    const step = (picture, n) => h('li', null, icon(picture), h('span', null, t('signin.step.' + (n + 1))));
    return {
        title: t('app'),
        data: {view: 'signin', state: trouble ? 'trouble' : 'ready'},
        node: h('div', {class: 'narrow stack'}, trouble,
            h('section', {class: 'packet welcome'},
                h('div', {class: 'face'},
                    h('h1', null, t('signin.title')),
                    h('p', {class: 'lead'}, t('signin.lead'))),
                h('div', {class: 'seal', 'aria-hidden': 'true'}, '福'),
                guestForm(app, signal, t('signin.go'))),
            h('ol', {class: 'steps'}, ['purse', 'share', 'crown'].map(step))),
    };
}

/**
 * An envelope of somebody who is not signed in.
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
        const {body} = await persist(() => app.api.preview(id, {signal}), {tries: 3, signal, pause: app.pause});
        const closed = body.state !== 'open';
        const hint = t(closed ? 'over.' + body.state : 'envelope.hint.preview');
        fill(node, h('div', {class: 'hero stack'}, trouble,
            packetCover(app.i18n, body, {state: closed ? 'closed' : 'sealed', heart: seal(hint)}),
            h('section', {class: 'card'}, guestForm(app, signal, t(closed ? 'signin.look' : 'signin.grab')))));
        app.setState('preview');
    } catch (error) {
        const again = ['unauthorized', 'not_found'].includes(error.code) ? null : app.show;
        showError(place, error, {again});
    }
}

/**
 * Asked when a link's token belongs to somebody else than the one signed in: otherwise a link could
 * make people win money into a stranger's account without noticing.
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
