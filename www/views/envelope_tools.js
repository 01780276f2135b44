// @ts-check
/* What else one can do with an envelope: pass it on, check the draw, and for its sender: save the list, take it back. */
import {claimsOf} from '../lib/browser_storage.js';
import {csvOf, wholeEnvelope} from '../lib/claims.js';
import {persist} from '../lib/retry.js';
import {fill, h, icon} from './dom.js';
import {saveFile} from './download.js';
import {drawCheckSheet} from './draw_check_sheet.js';
import {panelCodeOf} from './error_panel.js';
import {confirmSheet} from './top_bar.js';

/* The tools; drawn again when the envelope closes. */
export function drawTools(place, envelope) {
    const {app, id, parts: {tools}} = place;
    const {t} = app.i18n;
    if (tools.dataset.state === envelope.state) {
        return;
    }
    tools.dataset.state = envelope.state;
    const isOpen = envelope.state === 'open';
    const own = claimsOf(app.store.token())?.sub === envelope.sender.user;
    const tool = (name, picture, words, onclick) =>
        h('button', {class: 'tool', 'data-do': name, onclick}, icon(picture), h('span', null, t(words)));
    fill(tools,
        isOpen && tool('share-link', 'share', 'share.link', () => app.go('?e=' + id, {share: true})),
        tool('fair', 'shield', 'fair.link', () => drawCheckSheet(app, id)),
        own && h('a', {class: 'tool', 'data-do': 'wall', href: `?e=${id}&wall`}, icon('screen'),
            h('span', null, t('wall.link'))),
        own && tool('csv', 'table', 'csv.link', () => saveClaims(app, id)),
        own && isOpen && app.site && tool('recall', 'back', 'recall.link', () => recall(place)));
}

/**
 * A way on to an envelope of one's own.
 * @param {import('../types').App} app
 * @param {string} words
 */
export function sendToo(app, words) {
    return h('p', {class: 'center'}, h('a', {class: 'button quiet', 'data-do': 'send-too', href: './'}, app.i18n.t(words)));
}

/** @param {import('../types').App} app */
async function saveClaims(app, id) {
    const {t} = app.i18n;
    try {
        const {claims} = await wholeEnvelope(app.api, id, {pause: app.pause});
        const heads = ['chart.seq', 'chart.name', 'csv.user', 'chart.amount', 'csv.time'].map((key) => t(key));
        const rows = claims.map((c) => [c.seq, c.name, c.user, app.yuan(c.amount), c.opened_at]);
        saveFile(`hongbao-${id}.csv`, 'text/csv;charset=utf-8', csvOf([heads, ...rows]));
        app.announce(t('csv.saved'));
    } catch (error) {
        sayTrouble(app, error);
    }
}

/* Takes back what is left, after asking. The envelope itself shows what came of it. */
async function recall({app, id, watch}) {
    const {t} = app.i18n;
    const yes = await confirmSheet(
        {title: t('recall.title'), text: t('recall.text'), yes: t('recall.yes'), no: t('recall.no')});
    if (yes) {
        await persist(() => app.api.recall(id), {tries: 4, pause: app.pause}).catch((error) => sayTrouble(app, error));
        app.account.settle();
        watch.poke();
    }
}

/* A sentence where a panel would be too much. */
function sayTrouble(app, error) {
    const {t, has} = app.i18n;
    const code = panelCodeOf(error);
    app.toast(t(`trouble.${has(`trouble.${code}.title`) ? code : 'other'}.title`));
}
