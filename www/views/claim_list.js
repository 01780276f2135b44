// @ts-check
/* Everybody's shares: how far it has come, a chart of the draws, and the list. Rows are made when they come near the
 * window, each once; what the chart shows is in the list, too. */
import {drawBars} from '../lib/chart.js';
import {arrangeClaims} from '../lib/claims.js';
import {avatar, fill, h, icon, s, spoken} from './dom.js';
import {thanksText} from './thanks.js';

const CHART = {width: 320, height: 72};
const ROWS_AT_ONCE = 60;
/* From this many on, one looks for a name. */
const MANY = 15;

/**
 * The list and all around it. Returns {node, update(envelope, claims, me)}; me: {seq} of the own share, or null.
 * @param {import('../types').App} app
 * @param {AbortSignal} signal
 */
export function createClaims(app, signal) {
    const {t} = app.i18n;
    const count = h('p', {id: 'count', class: 'count'});
    const bar = h('progress', {'aria-labelledby': 'count'});
    const chart = h('div', {class: 'chart'});
    const none = h('p', {class: 'soft center none'}, t('envelope.nobody'));
    const rows = createRows(app, signal);
    const node = h('section', {class: 'card claims', id: 'everybody', tabindex: -1, 'aria-labelledby': 'luck'},
        h('h2', {id: 'luck'}, t('envelope.everybody')), count, bar, chart, none, rows.tools, rows.list, rows.end);
    let drawn = '';

    function update(envelope, claims, me) {
        const opened = Math.max(envelope.opened_shares, me?.seq ?? 0); /* the own share may be newer than the list */
        const sums = opened === envelope.opened_shares;
        fill(count, countText(app, {...envelope, opened_shares: opened}, {sums}));
        bar.max = envelope.shares;
        bar.value = opened;
        none.hidden = opened > 0;
        rows.update(envelope, claims, me);
        const worth = envelope.mode === 'lucky' && claims.length > 1 && claims.length >= envelope.opened_shares;
        const looks = [claims.length, me?.seq, envelope.state].join();
        if (worth && looks !== drawn) {
            drawn = looks;
            fill(chart, drawChart(app, envelope, claims, me));
        }
    }
    return {node, update};
}

/** @param {import('../types').App} app @param {AbortSignal} signal */
function createRows(app, signal) {
    const {t} = app.i18n;
    const list = h('ul', {id: 'claims', class: 'rows'});
    const more = h('button', {class: 'button quiet wide', 'data-do': 'more', onclick: () => grow()}, t('envelope.more'));
    const end = h('div', {class: 'rows-end', hidden: true}, more);
    const find = h('input', {id: 'find', type: 'search', 'aria-label': t('envelope.find'), autocomplete: 'off',
        placeholder: t('envelope.find'), oninput: () => draw()});
    const order = (name) => h('label', {class: 'tab'},
        h('input', {type: 'radio', name: 'order', value: name, checked: name === 'time', onchange: () => draw()}),
        h('span', null, t('envelope.order.' + name)));
    const orders = h('div', {class: 'segments', role: 'radiogroup', 'aria-label': t('envelope.order')},
        order('time'), order('amount'));
    const tools = h('div', {class: 'list-tools', hidden: true}, orders, find);
    /** @type {Map<number, HTMLElement>} */
    const made = new Map();
    /** @type {{envelope: any, claims: import('../types').Claim[], me: any}} */
    let now = {envelope: null, claims: [], me: null};
    let shown = ROWS_AT_ONCE;

    function rowOf(claim) {
        const row = made.get(claim.seq) ?? claimRow(app, claim);
        made.set(claim.seq, row);
        return row;
    }

    function draw() {
        const {envelope, claims, me} = now;
        const chosen = /** @type {HTMLInputElement | null} */ (orders.querySelector(':checked'));
        const best = envelope.state === 'open' ? null : envelope.luckiest?.seq ?? null;
        const arranged = arrangeClaims(claims, {order: chosen?.value ?? 'time', query: find.value, first: best});
        const wanted = arranged.slice(0, shown).map(rowOf);
        wanted.forEach((row, n) => markThanks(app.i18n, row, arranged[n].thanks ?? ''));
        if (wanted.length !== list.children.length || wanted.some((row, n) => row !== list.children[n])) {
            fill(list, wanted);
        }
        markRow(made.get(envelope.luckiest?.seq), 'luckiest', t('envelope.luckiest'), claims.length > 1);
        markRow(made.get(me?.seq), 'me', t('envelope.me'), true);
        end.hidden = arranged.length <= shown;
        tools.hidden = claims.length < MANY;
    }

    function grow() {
        shown += ROWS_AT_ONCE;
        draw();
    }
    if ('IntersectionObserver' in window) {
        const watcher = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && grow(),
            {rootMargin: '300px'});
        watcher.observe(end);
        signal.addEventListener('abort', () => watcher.disconnect(), {once: true});
    }
    return {
        list, tools, end,
        update(envelope, claims, me) {
            now = {envelope, claims, me};
            draw();
        },
    };
}

/**
 * "3 of 10 opened", or how it ended. Sums only for those who may see the list.
 * @param {import('../types').App} app
 */
export function countText(app, envelope, {sums = true} = {}) {
    const {t, span} = app.i18n;
    const values = {
        n: envelope.opened_shares, opened: envelope.opened_shares, shares: envelope.shares,
        sum: app.money(envelope.opened_total ?? 0), total: app.money(envelope.total),
        refunded: app.money(envelope.refunded ?? 0),
    };
    if (envelope.state === 'sold_out') {
        const took = span(Math.max(100, Date.parse(envelope.closed_at) - Date.parse(envelope.created_at)));
        return t('count.sold_out', {...values, n: envelope.shares, took});
    }
    return t(envelope.state === 'expired' ? 'count.expired' : sums ? 'count.open' : 'count.taken', values);
}

/** @param {import('../types').App} app */
function claimRow(app, {seq, name, amount, opened_at}) {
    return h('li', {class: 'row', 'data-seq': seq, 'data-fen': amount},
        avatar(name),
        h('span', {class: 'main', ...spoken(name)}, name),
        h('span', {class: 'side'}, app.money(amount)),
        h('time', {class: 'note', datetime: opened_at}, app.i18n.time(opened_at)),
        h('span', {class: 'marks'}));
}

/* Puts a mark on a row, once. */
function markRow(row, kind, words, wanted) {
    if (row && wanted && !row.classList.contains(kind)) {
        row.classList.add(kind);
        row.querySelector('.marks').append(
            h('span', {class: 'mark ' + kind}, kind === 'luckiest' && icon('crown'), words));
    }
}

/* Shows the thanks of a row, or others in their place. */
function markThanks(i18n, row, word) {
    if ((row.dataset.thanks ?? '') === word) {
        return;
    }
    row.dataset.thanks = word;
    row.querySelector('.mark.thanked')?.remove();
    const text = thanksText(i18n, word);
    if (text) {
        row.querySelector('.marks').prepend(h('span', {class: 'mark thanked'}, text));
    }
}

/** @param {import('../types').App} app */
function drawChart(app, envelope, claims, me) {
    const {t} = app.i18n;
    const {bars, mean} = drawBars(claims, {...CHART, total: envelope.total, shares: envelope.shares});
    const best = claims.reduce((a, b) => (b.amount > a.amount ? b : a));
    const special = [[envelope.luckiest?.seq, 'luckiest'], [me?.seq, 'me']];
    const path = ({x, y, width, height}) => `M${x.toFixed(2)} ${y.toFixed(2)}h${width.toFixed(2)}v${height.toFixed(2)}h${(-width).toFixed(2)}z`;
    const key = (name) => h('span', {class: 'key ' + name}, t('envelope.' + name));
    const average = app.money(Math.round(envelope.total / envelope.shares));
    const label = t('chart.label', {n: claims.length, best: app.money(best.amount), average});
    return [
        s('svg', {id: 'draws', viewBox: `0 -4 ${CHART.width} ${CHART.height + 4}`, role: 'img', 'aria-label': label,
            preserveAspectRatio: 'none'},
        s('path', {d: bars.map(path).join('')}),
        special.map(([seq, kind]) => bars.filter((bar) => bar.seq === seq).map((bar) => s('path', {class: kind, d: path(bar)}))),
        s('line', {x1: 0, x2: CHART.width, y1: mean, y2: mean})),
        h('p', {class: 'soft legend', 'aria-hidden': 'true'}, t('chart.legend', {average}),
            envelope.luckiest && key('luckiest'), me && key('me')),
    ];
}
