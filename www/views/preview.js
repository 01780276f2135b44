/* One envelope as everybody may see it, and the way in. */
import {persist} from '../lib/retry.js';
import {fill, h} from './dom.js';
import {packetCover, seal} from './packet.js';
import {guestForm, sessionTrouble} from './signin.js';
import {showTrouble} from './trouble.js';

/* The view of somebody who is not signed in. */
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
        showTrouble(place, error, {again});
    }
}
