// @ts-check
/* One envelope: the cover to tap, the coin to turn, the amount, and who else got what. */
import {sleep} from '../lib/retry.js';
import {claimsOf} from '../lib/browser_storage.js';
import {createVisit} from '../lib/envelope_visit.js';
import {watchEnvelope} from '../lib/envelope_watch.js';
import {countText, createClaims} from './claim_list.js';
import {fill, h, icon, prefersStillness} from './dom.js';
import {drawCheckSheet} from './draw_check_sheet.js';
import {celebrate, prepare} from './celebration.js';
import {coin, markOpened, packetCover, packetOpened, seal} from './cover.js';
import {focusPanel, showError, errorPanel, panelCodeOf} from './error_panel.js';

/* The coin turns for at least this long, however quick the answer. */
const TURN_MS = 600;
/* Reasons to wait, in the words of the strings table. */
const WAITS = {
    busy: 'wait.busy', rate_limited: 'wait.rate_limited', ticket_expired: 'wait.lapsed',
    ticket_invalid: 'wait.lapsed', network: 'wait.network', timeout: 'wait.timeout',
};
/* States in which one sees what the others got. */
const SEEN = ['opened', 'sold_out', 'expired'];

/**
 * The view of somebody signed in.
 * @param {import('../types').App} app
 */
export function envelopeView(app, params, signal) {
    const {t} = app.i18n;
    const id = params.get('e');
    const node = h('div', {class: 'envelope'}, h('p', {class: 'loading', role: 'status'}, t('loading')));
    visitEnvelope({app, id, node, signal});
    return {title: t('app'), node, data: {view: 'envelope', state: 'loading'}};
}

/* Fills the view and follows the envelope. `place` gathers the parts: visit (what is known), watch (what follows
 * the envelope), parts (nodes), drawn (what the cover shows). */
function visitEnvelope(place) {
    const {app, id, node, signal} = place;
    const say = (key) => {
        place.parts.said.textContent = key ? app.i18n.t(key) : '';
    };
    place.drawn = '';
    place.say = say;
    place.visit = createVisit({
        calls: {
            grab: async () => (await app.api.grab(id, {signal})).body,
            open: async (ticket) => (await app.api.open(id, ticket, {signal})).body,
            look: async () => (await app.api.envelope(id, {limit: 1}, {signal})).body,
        },
        turned: () => sleep(prefersStillness() ? 0 : TURN_MS, signal),
        options: {signal, pause: app.pause, onWait: (code) => say(WAITS[code] ?? 'wait.unavailable')},
        onStep: () => !signal.aborted && draw(place),
    });
    place.parts = {
        hero: h('div', {class: 'hero stack'}),
        said: h('p', {id: 'said', class: 'said', role: 'status'}),
        list: createClaims(app, () => place.watch.loadMore()),
        tools: h('div', {class: 'tools'}),
    };
    place.watch = watchEnvelope({
        ask: (page, options) => app.api.envelope(id, page, options),
        visible: app.visible,
        pause: app.pause,
        signal,
        onError: (error) => showError(place, error, {}),
        onTrouble: (error) => !place.visit.known.envelope && showError(place, error,
            {again: () => place.watch.poke(), waiting: true}),
        onChange(envelope, claims, more) {
            const first = !place.visit.known.envelope;
            place.visit.learn(envelope, claims, more);
            app.store.keepPromise(id, envelope.seed_hash);
            if (first) {
                const {hero, list, tools} = place.parts;
                fill(node, hero, h('div', {class: 'beside stack'}, list.node, tools));
            }
            draw(place);
        },
    });
    app.account.listen(() => place.visit.known.envelope && draw(place), signal);
}

/* Takes a step and shows what came of it; an error that stays is shown under the cover, which can then be
 * tapped again. */
async function take(place, step) {
    const {app, signal, visit, watch} = place;
    place.say('');
    try {
        if (await step()) {
            place.say('');
            present(place);
        }
    } catch (error) {
        if (!signal.aborted) {
            place.say('');
            failed(place, error);
        }
    }
    if (visit.known.mine) {
        app.account.settle();
    }
    watch.poke();
}

function grab(place) {
    prepare()?.catch(() => undefined);
    take(place, place.visit.grab);
}

function open(place) {
    place.parts.hero.querySelector('.coin')?.classList.add('turning');
    take(place, place.visit.open);
}

function failed(place, error) {
    const {app, parts, visit} = place;
    if (['not_recipient', 'not_found'].includes(error.code)) {
        showError(place, error, {});
        return;
    }
    const again = visit.known.ticket ? open : grab;
    const trouble = errorPanel(app, panelCodeOf(error),
        {detail: error.detail, again: () => again(place), home: false, compact: true});
    parts.hero.querySelector('.trouble')?.remove();
    parts.hero.append(trouble);
    place.drawn = '';
    focusPanel(parts.hero);
}

/* Brings what has just come about to eyes, ears and the focus. */
function present({app, parts: {hero}, say, visit}) {
    const {t} = app.i18n;
    const state = visit.state();
    const focus = (selector) => {
        const node = hero.querySelector(selector);
        node.focus({preventScroll: true});
        return node;
    };
    if (state === 'opened') {
        hero.classList.add('fresh');
        app.announce(t('envelope.won', {amount: app.money(visit.known.mine.amount)}));
        celebrate(focus('#mine'), {sound: app.store.sound()});
    } else if (state === 'grabbed') {
        focus('.coin');
        say('envelope.grabbed');
    } else {
        focus('#over');
        app.announce(t('over.' + state));
    }
}

/* The cover is drawn anew only when it changes: a coin that turns goes on turning. */
function draw(place) {
    const {app, node, parts, visit} = place;
    const {envelope, claims, more, mine} = visit.known;
    const state = visit.state();
    const looks = {
        cover: {grabbing: 'sealed', opening: 'grabbed'}[state] ?? state,
        mine: state === 'opened' && mine,
        opened: state === 'sealed' && envelope.opened_shares,
    };
    if (JSON.stringify(looks) !== place.drawn) {
        place.drawn = JSON.stringify(looks);
        const focused = parts.hero.contains(document.activeElement)
            ? document.activeElement?.getAttribute('data-hold') : null;
        drawHero(place, looks);
        parts.hero.querySelector(`[data-hold="${focused}"]`)?.focus({preventScroll: true});
    }
    if (state === 'opened') {
        markOpened(app.i18n, parts.hero, {
            credited: app.account.me?.pending === 0, luckiest: envelope.luckiest?.seq === mine.seq,
        });
    }
    const seen = SEEN.includes(state) || isOwn(app, envelope);
    parts.list.node.hidden = !seen;
    node.classList.toggle('wide', seen);
    parts.list.update(envelope, claims, more, mine);
    drawTools(place, envelope);
    app.setState(state);
}

/**
 * Whether the one signed in sent it.
 * @param {import('../types').App} app
 */
function isOwn(app, envelope) {
    return claimsOf(app.store.token())?.sub === envelope.sender.user;
}

function drawHero(place, {cover, mine}) {
    const {app, parts} = place;
    const {i18n} = app;
    const {envelope} = place.visit.known;
    const closed = () => [
        h('p', {id: 'over', class: 'over', tabindex: -1, 'data-hold': 'over'}, i18n.t('over.' + cover)),
        h('button', {class: 'link', 'data-do': 'look', 'data-hold': 'look', onclick: lookAtList},
            i18n.t('envelope.look')),
    ];
    const hint = (text) => h('p', {class: 'hint'}, text);
    const drawings = {
        opened: () => packetOpened(i18n, envelope, {fen: mine.amount, currency: app.store.currency()}),
        grabbed: () => packetCover(i18n, envelope, {state: 'grabbed', heart: [
            coin(i18n, () => open(place)), parts.said,
            hint(i18n.t('envelope.until', {time: i18n.date(envelope.expires_at)}))]}),
        sealed: () => packetCover(i18n, envelope, {state: 'sealed', onGrab: () => grab(place), heart: [
            seal(i18n.t('envelope.hint')), parts.said, hint(countText(app, envelope))]}),
    };
    const drawing = drawings[cover] ?? (() => packetCover(i18n, envelope, {state: 'closed', heart: closed()}));
    fill(parts.hero, drawing());
}

function lookAtList() {
    const list = document.getElementById('everybody');
    list?.scrollIntoView({behavior: prefersStillness() ? 'auto' : 'smooth', block: 'start'});
    list?.focus({preventScroll: true});
}

/* What else one can do with it; drawn anew when it closes. */
function drawTools({app, id, parts: {tools}}, envelope) {
    const {t} = app.i18n;
    if (tools.dataset.state === envelope.state) {
        return;
    }
    tools.dataset.state = envelope.state;
    const guests = envelope.sender.user.startsWith('guest:') && envelope.to === null;
    const isOpen = envelope.state === 'open';
    const link = (name, href, picture, words) =>
        h('a', {class: 'tool', 'data-do': name, href}, icon(picture), h('span', null, t(words)));
    fill(tools,
        isOpen && link('share-link', `?e=${id}&share`, 'share', 'share.link'),
        isOpen && guests && link('rush', `?v=rush&e=${id}`, 'bolt', 'rush.link'),
        h('button', {class: 'tool', 'data-do': 'fair', onclick: () => drawCheckSheet(app, id)},
            icon('shield'), h('span', null, t('fair.link'))));
}

/** @param {import('../types').App} app */
