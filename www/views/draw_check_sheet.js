// @ts-check
/* The sheet that shows whether an envelope was drawn fairly: the hash promised at the start, the seed
 * revealed at the end, and every amount computed again from it, in this browser. */
import {wholeEnvelope} from '../lib/claims.js';
import {fill, h, icon, showDialog, spoken} from './dom.js';
import {errorPanel, panelCodeOf} from './error_panel.js';

/**
 * Opens the sheet over the page; it asks for the envelope anew, so it shows what the service says now.
 * @param {import('../types').App} app
 */
export function drawCheckSheet(app, id) {
    const {t} = app.i18n;
    const leave = new AbortController();
    const body = h('div', {class: 'stack fair-body'}, h('p', {class: 'loading', role: 'status'}, t('fair.checking')));
    const sheet = h('dialog', {
        id: 'fair', class: 'sheet-dialog', 'data-state': 'checking', 'aria-labelledby': 'fair-title',
        onclose: () => {
            leave.abort();
            sheet.remove();
        },
        onclick: (event) => event.target === sheet && sheet.close(),
    },
    h('div', {class: 'sheet-inner'},
        h('div', {class: 'sheet-head'},
            h('h2', {id: 'fair-title', tabindex: -1}, t('fair.title')),
            h('button', {class: 'round', 'data-do': 'close', 'aria-label': t('close'), onclick: () => sheet.close()},
                icon('close'))),
        body));
    showDialog(sheet);
    run(app, id, sheet, body, leave.signal);
    return sheet;
}

/** @param {import('../types').App} app */
async function run(app, id, sheet, body, signal) {
    /** @param {string} state @param {any[]} nodes */
    const show = (state, ...nodes) => {
        if (!signal.aborted) {
            sheet.dataset.state = state;
            fill(body, nodes);
        }
    };
    try {
        const {envelope, claims} = await wholeEnvelope(app.api, id, {signal, pause: app.pause});
        if (envelope.seed === null) {
            show('open', openWords(app), facts(app, envelope), meaning(app));
            return;
        }
        const {checkEnvelope} = await import('../lib/draw_check.js');
        const promised = app.store.promise(id)?.hash ?? null;
        const result = checkEnvelope(envelope, claims, promised);
        const state = result.faults.length === 0 ? 'right' : 'broken';
        show(state, verdict(app, result), facts(app, envelope), meaning(app), table(app, result.rows));
        body.querySelector('.verdict h3').focus();
    } catch (error) {
        show('trouble', errorPanel(app, error.code ? panelCodeOf(error) : 'offline', {
            again: () => run(app, id, sheet, body, signal), detail: error.detail, compact: true,
        }));
    }
}

function openWords({i18n: {t}}) {
    return h('p', {class: 'verdict waiting'}, icon('lock'), h('span', null, t('fair.open')));
}

function verdict({i18n: {t}}, {faults, rows}) {
    const right = faults.length === 0;
    return h('section', {class: 'verdict ' + (right ? 'right' : 'broken'), role: right ? 'status' : 'alert'},
        icon(right ? 'shield' : 'cross'),
        h('div', null,
            h('h3', {tabindex: -1}, t(right ? 'fair.right' : 'fair.broken')),
            right ? h('p', null, t('fair.right.text', {n: rows.length}))
                : h('ul', null, [...new Set(faults)].map((fault) => h('li', null, t('fair.fault.' + fault))))));
}

/**
 * What was promised, since when this browser knows it, and what was revealed.
 * @param {import('../types').App} app
 */
function facts(app, envelope) {
    const {t, date} = app.i18n;
    const seen = app.store.promise(envelope.id);
    return h('dl', {class: 'facts'},
        h('dt', null, t('fair.hash')), h('dd', {class: 'mono', id: 'fair-hash'}, envelope.seed_hash),
        seen && h('dd', {class: 'soft'}, t('fair.seen', {time: date(seen.at)})),
        envelope.seed && [h('dt', null, t('fair.seed')),
            h('dd', {class: 'mono', id: 'fair-seed'}, envelope.seed)]);
}

function meaning({i18n: {t}}) {
    return h('p', {class: 'meaning'}, t('fair.proves'), ' ', t('fair.not'));
}

/** @param {import('../types').App} app */
function table(app, rows) {
    const {t, number} = app.i18n;
    const head = ['chart.seq', 'chart.name', 'fair.paid', 'fair.drawn'];
    return h('section', {class: 'table', tabindex: 0, 'aria-labelledby': 'fair-caption'}, h('table', {id: 'fair-table'},
        h('caption', {id: 'fair-caption'}, t('fair.caption')),
        h('thead', null, h('tr', null, head.map((key) => h('th', {scope: 'col'}, t(key))))),
        h('tbody', null, rows.map(({seq, name, amount, drawn, right}) => h('tr', {class: right ? null : 'wrong'},
            h('th', {scope: 'row'}, number(seq)),
            h('td', {class: 'name', ...spoken(name)}, name),
            h('td', null, app.money(amount)),
            h('td', null, drawn === null ? '—' : app.money(drawn), ' ',
                h('span', {class: 'tick', role: 'img', 'aria-label': t(right ? 'fair.same' : 'fair.differs')},
                    right ? '✓' : '✗')))))));
}
