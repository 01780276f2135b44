// @ts-check
/* The records: received and sent by year, and the ledger. One view, three tables of what differs. More
 * comes by itself when the end of the list comes near. */
import {persist} from '../lib/retry.js';
import {csvOf} from '../lib/claims.js';
import {amountParts, avatar, fill, h, icon, spoken} from './dom.js';
import {saveFile} from './download.js';
import {errorPanel, panelCodeOf} from './error_panel.js';

const KINDS = {
    received: {
        years: true,
        fen: (page) => page.total,
        sum: (t, money, page) => [t('records.received.sum', {n: page.count}),
            page.luckiest_count > 0 && t('records.luckiest', {n: page.luckiest_count})],
        row: ({t, time}, money, item) => ({
            href: '?e=' + item.envelope,
            face: avatar(item.sender.name),
            main: item.sender.name,
            wrote: true,
            side: money(item.amount),
            note: [time(item.opened_at), !item.credited && t('envelope.pending')],
            mark: item.luckiest && [icon('crown'), t('envelope.luckiest')],
            best: true,
        }),
    },
    sent: {
        years: true,
        fen: (page) => page.total,
        sum: (t, money, page) => [t('records.sent.sum', {n: page.count}),
            page.refunded > 0 && t('records.refunded', {refunded: money(page.refunded)})],
        row: ({t, time}, money, item) => ({
            href: '?e=' + item.id,
            face: h('span', {class: 'avatar small-packet', 'aria-hidden': 'true'}),
            main: item.greeting,
            wrote: true,
            side: money(item.total),
            note: [time(item.created_at), t('state.' + item.state)],
            mark: t('records.shares', {opened: item.opened_shares, shares: item.shares}),
        }),
    },
    ledger: {
        years: false,
        fen: (page) => page.balance,
        sum: (t) => [t('balance')],
        row: ({t, time}, money, item) => ({
            href: item.envelope ? '?e=' + item.envelope : null,
            face: h('span', {class: 'avatar flow ' + (item.amount > 0 ? 'in' : 'out'), 'aria-hidden': 'true'},
                icon(item.amount > 0 ? 'down' : 'up')),
            main: t('kind.' + item.kind),
            side: money(item.amount, true),
            note: [time(item.at)],
        }),
    },
};

/* kind: a name in KINDS, which is also the API's. */
export const historyView = (kind) => (app, params, signal) => {
    const {t} = app.i18n;
    const {years} = KINDS[kind];
    const year = years ? params.get('year') : null;
    const parts = {
        head: h('header', {class: 'records-head'}),
        list: h('ul', {id: 'rows', class: 'rows'}),
        foot: h('div', {class: 'foot'}),
    };
    const tab = (name) => h('a', {href: '?v=' + name, 'aria-current': name === kind ? 'page' : null},
        t('records.' + name));
    createPager(app, kind, year, parts, signal).load(null);
    return {
        title: t('records.' + kind),
        data: {view: 'records', state: 'loading', kind},
        node: h('div', {class: 'records narrow stack'},
            h('nav', {class: 'tabs', 'aria-label': t('nav.records')}, Object.keys(KINDS).map(tab)),
            h('section', {class: 'card'}, parts.head, parts.list, parts.foot)),
    };
};

/**
 * Loads page after page into parts.
 * @param {import('../types').App} app
 */
function createPager(app, kind, year, {head, list, foot}, signal) {
    const {t} = app.i18n;
    const {row, years} = KINDS[kind];

    async function load(after) {
        fill(foot, h('p', {class: 'loading', role: 'status'}, t('loading')));
        try {
            const {body} = await persist(() => app.api.records(kind, {year, after, limit: 30}, {signal}),
                {tries: 3, signal, pause: app.pause});
            if (after === null) {
                drawHead(app, kind, head, body, years);
            }
            list.append(...body.items.map((item) => drawRow(row(app.i18n, app.money, item))));
            drawFoot(body.next);
            app.setState(list.childElementCount === 0 ? 'empty' : 'ready');
        } catch (error) {
            if (!signal.aborted) {
                fill(foot, errorPanel(app, panelCodeOf(error),
                    {again: () => load(after), detail: error.detail, compact: true}));
                app.setState('trouble');
            }
        }
    }

    function drawFoot(next) {
        if (!next) {
            fill(foot, list.childElementCount === 0 && emptyWords(app, kind));
            return;
        }
        const more = h('button', {class: 'button quiet wide', 'data-do': 'more', onclick: () => load(next)},
            t('records.more'));
        fill(foot, more);
        whenNear(more, signal, () => load(next));
    }
    return {load};
}

/* Calls f once when node comes near the visible part of the page. */
function whenNear(node, signal, f) {
    const watcher = new IntersectionObserver((entries) => {
        if (entries.some((entry) => entry.isIntersecting)) {
            watcher.disconnect();
            if (!signal.aborted && node.isConnected) {
                f();
            }
        }
    }, {rootMargin: '400px'});
    watcher.observe(node);
    signal.addEventListener('abort', () => watcher.disconnect(), {once: true});
}

/** @param {import('../types').App} app */
function drawHead(app, kind, head, page, years) {
    const {t, moneyParts} = app.i18n;
    const {fen, sum} = KINDS[kind];
    const last = new Date().getFullYear();
    const step = (n, name, label) => h('a', {
        class: 'round', 'data-do': name, href: `?v=${kind}&year=${page.year + n}`,
        'aria-label': t(label, {year: String(page.year + n)}),
    }, icon(n < 0 ? 'back' : 'on'));
    fill(head,
        years ? h('div', {class: 'years'},
            step(-1, 'year-back', 'records.year'),
            h('h1', {id: 'year'}, t('records.in', {year: String(page.year)})),
            page.year < last ? step(1, 'year-on', 'records.year') : h('span', {class: 'round none'}))
            : h('h1', {class: 'ledger-title'}, t('records.ledger')),
        h('p', {class: 'total', id: 'sum', 'data-fen': fen(page)},
            amountParts({moneyParts}, fen(page), app.store.currency())),
        h('p', {class: 'soft sums'}, sum(t, app.money, page).filter(Boolean).join(' · ')),
        h('button', {class: 'link', 'data-do': 'csv', onclick: () => saveHistory(app, kind, page.year)}, t('csv.link')));
}

/** @param {import('../types').App} app */
function emptyWords(app, kind) {
    const {t} = app.i18n;
    return h('div', {class: 'empty center'},
        h('span', {class: 'small-packet', 'aria-hidden': 'true'}),
        h('p', {class: 'soft'}, t('records.none.' + kind)),
        h('a', {class: 'button quiet', href: './'}, t('nav.send')));
}

function drawRow({href, face, main, wrote, side, note, mark, best}) {
    const inner = [
        face,
        h('span', {class: 'main', ...(wrote && spoken(main))}, main),
        h('span', {class: 'side'}, side),
        h('span', {class: 'note'}, note.filter(Boolean).join(' · ')),
        h('span', {class: 'marks'}, mark && h('span', {class: best ? 'mark luckiest' : 'mark'}, mark)),
    ];
    return h('li', null, href ? h('a', {class: 'row', href}, inner) : h('div', {class: 'row'}, inner));
}

/* The columns of each list as a table for other programs, in the API's words. */
const COLUMNS = {
    received: ['opened_at', 'envelope', 'sender', 'amount', 'seq', 'luckiest', 'credited'],
    sent: ['created_at', 'id', 'greeting', 'mode', 'total', 'shares', 'state', 'opened_shares', 'opened_total', 'refunded'],
    ledger: ['at', 'kind', 'amount', 'envelope', 'reference'],
};
const AMOUNTS = ['amount', 'total', 'opened_total', 'refunded'];

/**
 * Save a whole list, of one year where it goes by years.
 * @param {import('../types').App} app
 */
async function saveHistory(app, kind, year) {
    const {t} = app.i18n;
    const cell = (item, name) => (AMOUNTS.includes(name) && item[name] !== null && item[name] !== undefined
        ? app.yuan(item[name]) : item[name]?.name ?? item[name]);
    const rows = [];
    try {
        for (let after = null; ;) {
            const page = {year: KINDS[kind].years ? year : null, after, limit: 100};
            const {body} = await persist(() => app.api.records(kind, page), {tries: 3, pause: app.pause});
            rows.push(...body.items.map((item) => COLUMNS[kind].map((name) => cell(item, name))));
            if (!body.next) {
                break;
            }
            after = body.next;
        }
        saveFile(`hongbao-${kind}${KINDS[kind].years ? '-' + year : ''}.csv`, 'text/csv;charset=utf-8',
            csvOf([COLUMNS[kind], ...rows]));
        app.announce(t('csv.saved'));
    } catch (error) {
        const code = panelCodeOf(error);
        app.toast(t(`trouble.${app.i18n.has(`trouble.${code}.title`) ? code : 'other'}.title`));
    }
}
