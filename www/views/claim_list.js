// @ts-check
/* Everybody's shares: how far it has come, a chart of the draws with an equal table for those who
 * cannot see it, and the list, the latest first. Rows are added as claims come, never drawn anew. */
import {drawBars} from '../lib/chart.js';
import {avatar, fill, h, icon, s} from './dom.js';

const CHART = {width: 320, height: 72};

/**
 * loadMore(): asked for what is not followed by itself. Returns {node, update(envelope, claims, more, me)};
 * me: {seq} of the own share, or null.
 * @param {import('../types').App} app
 */
export function createClaims(app, loadMore) {
    const {t} = app.i18n;
    const count = h('p', {id: 'count', class: 'count'});
    const bar = h('progress', {'aria-labelledby': 'count'});
    const chart = h('div', {class: 'chart'});
    const list = h('ul', {id: 'claims', class: 'rows'});
    const none = h('p', {class: 'soft center none'}, t('envelope.nobody'));
    const more = h('button', {class: 'button quiet wide', 'data-do': 'more', hidden: true, onclick: loadMore},
        t('envelope.more'));
    const node = h('section', {class: 'card claims', id: 'everybody', tabindex: -1, 'aria-labelledby': 'luck'},
        h('h2', {id: 'luck'}, t('envelope.everybody')), count, bar, chart, more, none, list);

    function update(envelope, claims, isMore, me) {
        count.textContent = countText(app, envelope);
        bar.max = envelope.shares;
        bar.value = envelope.opened_shares;
        for (const claim of claims.slice(list.childElementCount)) {
            list.prepend(claimRow(app, claim));
        }
        markRow(app, list, 'luckiest', envelope.luckiest?.seq, t('envelope.luckiest'));
        markRow(app, list, 'me', me?.seq, t('envelope.me'));
        none.hidden = claims.length > 0;
        more.hidden = !isMore;
        const worth = envelope.mode === 'lucky' && claims.length > 1;
        fill(chart, worth && drawChart(app, envelope, claims, me));
    }
    return {node, update};
}

/**
 * "3 of 10 opened", or how it ended.
 * @param {import('../types').App} app
 */
export function countText(app, envelope) {
    const {t, span} = app.i18n;
    const values = {
        n: envelope.opened_shares, opened: envelope.opened_shares, shares: envelope.shares,
        sum: app.money(envelope.opened_total), total: app.money(envelope.total),
        refunded: app.money(envelope.refunded ?? 0),
    };
    if (envelope.state === 'sold_out') {
        const took = span(Math.max(100, Date.parse(envelope.closed_at) - Date.parse(envelope.created_at)));
        return t('count.sold_out', {...values, n: envelope.shares, took});
    }
    return t(envelope.state === 'expired' ? 'count.expired' : 'count.open', values);
}

/** @param {import('../types').App} app */
function claimRow(app, {seq, name, amount, opened_at}) {
    return h('li', {class: 'row', 'data-seq': seq, 'data-fen': amount},
        avatar(name),
        h('span', {class: 'main'}, name),
        h('span', {class: 'side'}, app.money(amount)),
        h('time', {class: 'note', datetime: opened_at}, app.i18n.time(opened_at)),
        h('span', {class: 'marks'}));
}

/**
 * Puts a mark on the row of share seq, once.
 * @param {import('../types').App} app
 */
function markRow(app, list, kind, seq, words) {
    const row = seq && list.querySelector(`[data-seq="${seq}"]`);
    if (row && !row.classList.contains(kind)) {
        row.classList.add(kind);
        row.querySelector('.marks').append(
            h('span', {class: 'mark ' + kind}, kind === 'luckiest' && icon('crown'), words));
    }
}

/** @param {import('../types').App} app */
function drawChart(app, envelope, claims, me) {
    const {t, number} = app.i18n;
    const {bars, mean} = drawBars(claims, {...CHART, total: envelope.total, shares: envelope.shares});
    const best = claims.reduce((a, b) => (b.amount > a.amount ? b : a));
    const kind = (seq) => (seq === me?.seq ? 'me' : seq === envelope.luckiest?.seq ? 'luckiest' : null);
    const key = (name) => h('span', {class: 'key ' + name}, t('envelope.' + name));
    const average = app.money(Math.round(envelope.total / envelope.shares));
    const label = t('chart.label', {n: claims.length, best: app.money(best.amount), average});
    return [
        s('svg', {id: 'draws', viewBox: `0 -4 ${CHART.width} ${CHART.height + 4}`, role: 'img', 'aria-label': label,
            preserveAspectRatio: 'none'},
        bars.map(({seq, x, y, width, height}) =>
            s('rect', {class: kind(seq), x, y, width, height, rx: Math.min(2, width / 3)})),
        s('line', {x1: 0, x2: CHART.width, y1: mean, y2: mean})),
        h('p', {class: 'soft legend', 'aria-hidden': 'true'}, t('chart.legend', {average}),
            claims.some(({seq}) => kind(seq) === 'luckiest') && key('luckiest'), me && key('me')),
        h('div', {class: 'unseen'}, h('table', {id: 'draws-table'},
            h('caption', null, t('chart.caption')),
            h('thead', null, h('tr', null, h('th', {scope: 'col'}, t('chart.seq')),
                h('th', {scope: 'col'}, t('chart.name')), h('th', {scope: 'col'}, t('chart.amount')))),
            h('tbody', null, claims.map(({seq, name, amount}) => h('tr', null,
                h('th', {scope: 'row'}, number(seq)), h('td', null, name), h('td', null, app.money(amount))))))),
    ];
}
