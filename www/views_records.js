/* The records: sent and received by year, and the ledger. One view, three tables of what differs. */
import {fill, h} from './dom.js';
import {formatMoney} from './money.js';
import {persist} from './retry.js';

const KINDS = {
    sent: {
        years: true,
        sum: (t, money, page) => t('records.sent.sum',
            {count: page.count, total: money(page.total), refunded: money(page.refunded)}),
        row: ({t, time}, money, item) => ({
            href: '?e=' + item.id,
            main: item.greeting,
            side: money(item.total),
            note: [time(item.created_at), t('state.' + item.state),
                t('records.shares', {opened: item.opened_shares, shares: item.shares})],
        }),
    },
    received: {
        years: true,
        sum: (t, money, page) => t('records.received.sum',
            {count: page.count, total: money(page.total), luckiest: page.luckiest_count}),
        row: ({t, time}, money, item) => ({
            href: '?e=' + item.envelope,
            main: t('records.from', {name: item.sender.name}),
            side: money(item.amount),
            note: [time(item.opened_at), item.luckiest && t('envelope.luckiest'),
                !item.credited && t('records.pending')],
        }),
    },
    ledger: {
        years: false,
        sum: (t, money, page) => t('home.balance') + ' ' + money(page.balance),
        row: ({t, time}, money, item) => ({
            href: item.envelope ? '?e=' + item.envelope : null,
            main: t('kind.' + item.kind),
            side: (item.amount > 0 ? '+' : '') + money(item.amount),
            note: [time(item.at)],
        }),
    },
};

/* kind: a name in KINDS, which is also the API's. */
export const recordsView = (kind) => (app, params, signal) => {
    const {t, problem} = app.i18n;
    const {years, sum, row} = KINDS[kind];
    const head = h('header');
    const list = h('ul', {class: 'rows'});
    const foot = h('p', {class: 'said center', role: 'status'}, t('loading'));
    const money = (fen) => formatMoney(fen, app.account.me?.currency);
    const year = years ? params.get('year') : null;

    function drawHead(page) {
        const step = (n) => h('a', {class: 'small', href: `?v=${kind}&year=${page.year + n}`},
            String(page.year + n));
        fill(head,
            h('div', {class: 'years'}, years && step(-1),
                h('h1', null, t('records.' + kind, {year: page.year})),
                years && page.year < new Date().getFullYear() && step(1)),
            h('p', {class: 'soft center'}, sum(t, money, page)));
    }

    async function load(after) {
        foot.textContent = t('loading');
        try {
            const ask = () => app.api.records(kind, {year, after, limit: 50}, {signal});
            const {body} = await persist(ask, {tries: 4, signal});
            drawHead(body);
            list.append(...body.items.map((item) => drawRow(row(app.i18n, money, item))));
            fill(foot, body.next
                ? h('button', {class: 'plain', onclick: () => load(body.next)}, t('records.more'))
                : list.childElementCount === 0 && t('records.none'));
        } catch (error) {
            if (!signal.aborted) {
                fill(foot, problem(error), ' ',
                    h('button', {class: 'plain', onclick: () => load(after)}, t('again')));
            }
        }
    }
    app.account.refresh().then(() => !signal.aborted && load(null));
    return {
        title: t('nav.' + kind),
        node: h('section', {class: 'card'}, head, list, foot),
    };
};

function drawRow({href, main, side, note}) {
    const inner = [
        h('span', {class: 'main'}, main),
        h('span', {class: 'side'}, side),
        h('span', {class: 'note'}, note.filter(Boolean).join(' · ')),
    ];
    return h('li', null, href ? h('a', {class: 'row', href}, inner) : h('div', {class: 'row'}, inner));
}
