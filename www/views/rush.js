// @ts-check
/* A rush for one person alone: this browser plays thirty guests who go for one envelope at once, and
 * shows how the service took it. */
import {newKey} from '../lib/api.js';
import {GUESTS, makeGuests, race, rushFigures, SHARES, TOTAL_FEN} from '../lib/rush_race.js';
import {persist} from '../lib/retry.js';
import {avatar, fill, h, icon, s} from './dom.js';
import {errorPanel, focusPanel, panelCodeOf} from './error_panel.js';
import {confirmSheet} from './top_bar.js';

const CHART = {width: 320, height: 96};

/** @param {import('../types').App} app */
export function rushView(app, params, signal) {
    const {t} = app.i18n;
    const parts = {
        button: h('button', {class: 'button gold wide', 'data-do': 'rush', onclick: start},
            icon('bolt'), h('span', null, t('rush.go', {n: GUESTS}))),
        said: h('p', {class: 'said center', id: 'said', role: 'status'}),
        crowd: h('ul', {class: 'crowd', 'aria-hidden': 'true'}),
        result: h('div', {class: 'stack'}),
    };

    async function start() {
        const asked = {title: t('rush.ask'), text: t('rush.ask.text', {n: GUESTS + 1}), yes: t('rush.ask.yes'), no: t('rush.ask.no')};
        if (!await confirmSheet(asked)) {
            return;
        }
        parts.button.disabled = true;
        fill(parts.result);
        fill(parts.crowd);
        app.setState('running');
        try {
            await rush(app, parts, signal);
            app.setState('done');
            parts.result.querySelector('h2')?.focus({preventScroll: true});
        } catch (error) {
            failed(error);
        }
        parts.button.disabled = false;
    }

    function failed(error) {
        if (signal.aborted) {
            return;
        }
        const off = error.code === 'not_found' || error.code === 'method_not_allowed';
        parts.said.textContent = '';
        fill(parts.result, errorPanel(app, off ? 'guests_off' : panelCodeOf(error),
            {again: off ? null : start, detail: error.detail}));
        app.setState('trouble');
        focusPanel(parts.result);
    }

    return {
        title: t('rush.title'),
        data: {view: 'rush', state: 'idle'},
        node: h('div', {class: 'rush narrow stack'},
            h('section', {class: 'card stack'},
                h('h1', null, t('rush.title')),
                h('p', {class: 'soft'}, t('rush.lead',
                    {n: GUESTS, shares: SHARES, amount: app.money(TOTAL_FEN)})),
                parts.button, parts.said, parts.crowd),
            parts.result),
    };
}

/**
 * Signs the guests in, sends an envelope of play money for them, and lets them go.
 * @param {import('../types').App} app
 */
async function rush(app, {said, crowd, result}, signal) {
    const {t} = app.i18n;
    const nobody = app.apiFor(null);
    const make = (count, nameOf) =>
        makeGuests({count, anonymous: nobody, apiFor: app.apiFor, nameOf, signal, pause: app.pause});
    said.textContent = t('rush.signin', {n: GUESTS});
    const guests = await make(GUESTS, (n) => t('rush.guest', {no: String(n)}));
    const envelope = await sendOne(app, make, signal);
    const places = new Map(guests.map((guest) => [guest.name, crowdPlace(guest.name)]));
    fill(crowd, [...places.values()]);
    said.textContent = t('rush.running');
    const onEvent = ({guest, state}) => places.get(guest)?.classList.add(state);
    const outcome = await race({guests, id: envelope, signal, onEvent, now: () => performance.now()});
    said.textContent = '';
    const figures = rushFigures(outcome);
    fill(result, winners(app, figures, envelope), speed(app, figures, outcome));
    app.announce(t('rush.done', {n: figures.won.length, away: figures.away}));
}

/**
 * An envelope of play money from a guest of its own. Resolves to its id.
 * @param {import('../types').App} app
 */
async function sendOne(app, make, signal) {
    const {t} = app.i18n;
    const [host] = await make(1, () => t('rush.host'));
    const body = {mode: 'lucky', total: TOTAL_FEN, shares: SHARES, greeting: t('send.greeting.default')};
    const key = newKey();
    const answer = await persist(() => host.api.send(body, key, {signal}), {signal, pause: app.pause});
    return answer.body.id;
}

function crowdPlace(name) {
    return h('li', {class: 'guest-dot'}, numberOf(name));
}

/* The number in a guest's name. */
function numberOf(name) {
    return name.replace(/\D+/g, '');
}

/** @param {import('../types').App} app */
function winners(app, {won, away, failed}, id) {
    const {t} = app.i18n;
    const row = ({guest, amount, seq}, n) => h('li', {class: 'row', 'data-seq': seq, 'data-fen': amount},
        avatar(guest, '', numberOf(guest)),
        h('span', {class: 'main'}, guest),
        h('span', {class: 'side'}, app.money(amount)),
        h('span', {class: 'note'}, t('rush.place', {seq: String(seq)})),
        h('span', {class: 'marks'}, n === 0 && won.length > 1 && h('span', {class: 'mark luckiest'}, icon('crown'),
            t('envelope.luckiest'))));
    return h('section', {class: 'card'},
        h('h2', {tabindex: -1}, t('rush.got', {n: won.length})),
        h('p', {class: 'soft', id: 'rush-away', 'data-n': away}, t('rush.away', {n: away})),
        failed.length > 0 && h('p', {class: 'fault'}, t('rush.failed', {n: failed.length, code: failed[0].code})),
        h('ol', {class: 'rows', id: 'rush-won'}, won.map(row)),
        h('a', {class: 'button quiet wide', 'data-do': 'look', href: '?e=' + id}, t('rush.look')));
}

/** @param {import('../types').App} app */
function speed(app, figures, {busy}) {
    const {t, number} = app.i18n;
    const ms = (value) => t('rush.ms', {ms: number(Math.round(value))});
    const figure = (id, value, key) => h('div', {class: 'figure'},
        h('dd', {id}, value), h('dt', null, t(key)));
    return h('section', {class: 'card'},
        h('h2', null, t('rush.speed')),
        h('dl', {class: 'figures'},
            figure('rush-rate', number(Math.round(figures.perSecond)), 'rush.rate'),
            figure('rush-median', ms(figures.medianMs ?? 0), 'rush.median'),
            figure('rush-p99', ms(figures.p99Ms ?? 0), 'rush.p99'),
            figure('rush-busy', number(busy), 'rush.busy')),
        histogram(app, figures.classes),
        h('p', {class: 'soft'}, t('rush.note', {n: figures.answers})));
}

/** @param {import('../types').App} app */
function histogram(app, classes) {
    const {t, number} = app.i18n;
    const name = ({from, to}) => (to === null ? t('rush.over', {from}) : t('rush.class', {from, to}));
    const most = Math.max(1, ...classes.map((c) => c.count));
    const step = CHART.width / Math.max(classes.length, 1);
    const bar = ({count}, n) => {
        const tall = count === 0 ? 0 : Math.max(2, count / most * (CHART.height - 30));
        const middle = n * step + step / 2;
        const wide = Math.min(step * 0.7, 44);
        return [
            s('rect', {x: middle - wide / 2, y: CHART.height - 16 - tall, width: wide, height: tall, rx: 3}),
            count > 0 && s('text', {x: middle, y: CHART.height - 20 - tall, class: 'value'}, number(count)),
            s('text', {x: middle, y: CHART.height - 3}, classes[n].to === null ? '…' : '<' + classes[n].to),
        ];
    };
    return [
        s('svg', {id: 'rush-hist', class: 'hist', viewBox: `0 0 ${CHART.width} ${CHART.height}`, role: 'img',
            'aria-label': t('rush.hist')}, classes.map(bar)),
        h('p', {class: 'soft legend', 'aria-hidden': 'true'}, t('rush.hist')),
        h('div', {class: 'unseen'}, h('table', {id: 'rush-hist-table'},
            h('caption', null, t('rush.hist')),
            h('thead', null, h('tr', null, h('th', {scope: 'col'}, t('rush.hist.class')),
                h('th', {scope: 'col'}, t('rush.hist.count')))),
            h('tbody', null, classes.map((c) => h('tr', null,
                h('th', {scope: 'row'}, name(c)), h('td', null, number(c.count))))))),
    ];
}
