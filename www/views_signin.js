/* Coming in: as a guest with a name, or through a link with a token that asks before it takes the
 * place of somebody already signed in. */
import {h} from './dom.js';
import {persist} from './retry.js';
import {claimsOf} from './store.js';

/* The form alone, for the start and for an envelope seen before signing in. */
export function guestForm(app, signal) {
    const {t, problem} = app.i18n;
    const said = h('p', {class: 'said', role: 'status'}, app.takeNotice());
    const name = h('input', {
        id: 'name', name: 'name', autocomplete: 'nickname', maxlength: 64, required: true,
    });
    const button = h('button', {class: 'gold wide'}, t('signin.go'));

    async function enter(event) {
        event.preventDefault();
        const wanted = name.value.trim();
        button.disabled = true;
        said.textContent = '';
        try {
            const {body} = await persist(() => app.api.guest(wanted, {signal}), {tries: 4, signal});
            app.signIn(body.token);
        } catch (error) {
            if (!signal.aborted) {
                const off = error.code === 'not_found' || error.code === 'method_not_allowed';
                said.textContent = off ? t('signin.off') : problem(error);
                button.disabled = false;
            }
        }
    }
    return h('form', {class: 'stack', onsubmit: enter},
        h('label', {for: 'name'}, t('signin.name')), name, button, said);
}

export function signInView(app, params, signal) {
    const {t} = app.i18n;
    return {
        title: t('app'),
        node: h('section', {class: 'card red center'},
            h('div', {class: 'seal', 'aria-hidden': 'true'}, '福'),
            h('h1', null, t('signin.title')),
            h('p', {class: 'soft'}, t('signin.lead')),
            guestForm(app, signal)),
    };
}

/* Asked when a link's token belongs to somebody else than the one signed in: otherwise a link could
 * make people win money into a stranger's account without noticing. */
export function switchView(app, token, done) {
    const {t} = app.i18n;
    const names = {old: claimsOf(app.store.token())?.name ?? '?', new: claimsOf(token)?.name ?? '?'};
    return h('section', {class: 'card center'},
        h('p', null, t('signin.other', names)),
        h('div', {class: 'stack'},
            h('button', {class: 'gold wide', onclick: () => done(true)}, t('signin.switch', names)),
            h('button', {class: 'plain wide', onclick: () => done(false)}, t('signin.stay', names))));
}
