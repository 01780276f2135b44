// @ts-check
/* One envelope: the cover to tap, the coin to turn, the amount, and who else got what. Says nothing before it is so: a
 * ticket promises nothing, and the coin goes as soon as the envelope is known to be over. */
import {claimsOf} from '../lib/browser_storage.js';
import {createVisit} from '../lib/envelope_visit.js';
import {watchEnvelope} from '../lib/envelope_watch.js';
import {sleep} from '../lib/retry.js';
import {countText, createClaims} from './claim_list.js';
import {coin, markOpened, packetCover, packetOpened, seal} from './cover.js';
import {fill, focusOn, h, prefersStillness} from './dom.js';
import {grab, open, overKey, present} from './envelope_steps.js';
import {drawTools, sendToo} from './envelope_tools.js';
import {showError} from './error_panel.js';
import {ownThanks, thanksBar} from './thanks.js';

/* The coin turns for at least this long, however quick the answer. */
const TURN_MS = 600;
/* Reasons to wait, in the words of the strings table. */
const WAITS = {
    busy: 'wait.busy', rate_limited: 'wait.rate_limited', ticket_expired: 'wait.lapsed',
    ticket_invalid: 'wait.lapsed', network: 'wait.network', timeout: 'wait.timeout',
};
const OVER = ['sold_out', 'expired'];
/* States in which one sees what the others got. */
const SEEN = ['opened', ...OVER];

/**
 * The view of a signed-in user. Right after signing in at an envelope it is grabbed: that was the button's promise.
 * @param {import('../types').App} app
 */
export function envelopeView(app, params, signal) {
    const {t} = app.i18n;
    const id = params.get('e');
    const node = h('div', {class: 'envelope'}, h('p', {class: 'loading', role: 'status'}, t('loading')));
    const place = createPlace({app, id, node, signal});
    if (app.session.takeIntent() === id) {
        grab(place);
    }
    return {title: t('app'), node, data: {view: 'envelope', state: 'loading'}};
}

/* Follows the envelope. `place` gathers the parts: visit (what is known), watch (what follows the envelope), parts
 * (nodes), drawn (what the cover shows), unseen (a step's result that could not be shown yet). */
function createPlace({app, id, node, signal}) {
    const say = (key) => {
        place.parts.said.textContent = key ? app.i18n.t(key) : '';
    };
    /** @type {any} */
    const place = {app, id, node, signal, say, user: claimsOf(app.store.token())?.sub, drawn: '', shown: '', unseen: false, sound: null, visit: createVisit({
        calls: {
            grab: async () => (await app.api.grab(id, {signal})).body,
            open: async (ticket) => (await app.api.open(id, ticket, {signal})).body,
            look: async () => (await app.api.envelope(id, {limit: 1}, {signal})).body,
        },
        turned: () => sleep(prefersStillness() ? 0 : TURN_MS, signal),
        options: {signal, pause: app.pause, onWait: (code) => say(WAITS[code] ?? 'wait.unavailable')},
        onStep: () => !signal.aborted && draw(place),
    }), parts: {
        hero: h('div', {class: 'hero stack'}),
        said: h('p', {id: 'said', class: 'said', role: 'status'}),
        list: createClaims(app, signal),
        tools: h('div', {class: 'tools'}),
    }, watch: watchEnvelope({
        ask: (page, options) => app.api.envelope(id, page, options),
        visible: app.visible,
        pause: app.pause,
        signal,
        onError: (error) => showError(place, error, {}),
        onTrouble: (error) => !place.visit.known.envelope && showError(place, error,
            {again: () => place.watch.poke(), waiting: true}),
        onChange: (envelope, claims) => learn(place, envelope, claims),
    })};
    place.redraw = () => draw(place);
    app.account.listen(place.redraw, signal);
    return place;
}

function learn(place, envelope, claims) {
    const {app, id, node, parts, visit} = place;
    const {known} = visit;
    const first = !known.envelope;
    const opened = known.mine !== null;
    visit.learn(envelope, claims);
    app.store.keepPromise(id, envelope.seed_hash);
    if (first) {
        fill(node, parts.hero, h('div', {class: 'beside stack'}, parts.list.node, parts.tools));
        app.setTitle(app.i18n.t('envelope.title', {name: envelope.sender.name, greeting: envelope.greeting}));
    } else if (!opened && known.mine && !known.doing) {
        app.account.settle(); /* opened in another tab */
    }
    draw(place);
    if (place.unseen && !known.doing) {
        place.unseen = false;
        present(place);
    }
}

/* The cover is drawn again only when it changes: a coin that turns goes on turning. */
function draw(place) {
    const {app, parts, visit} = place;
    const {envelope, claims, mine} = visit.known;
    if (!envelope) {
        return;
    }
    const state = visit.state();
    const looks = {
        cover: {grabbing: 'sealed', opening: 'grabbed'}[state] ?? state,
        mine: state === 'opened' && mine,
        thanks: state === 'opened' && ownThanks(visit),
        by: OVER.includes(state) && envelope.closed_by,
        opened: state === 'sealed' && envelope.opened_shares,
        luckiest: state === 'opened' && envelope.state !== 'open' && envelope.luckiest?.seq === mine.seq,
    };
    if (JSON.stringify(looks) !== place.drawn) {
        place.drawn = JSON.stringify(looks);
        drawHero(place, looks);
    }
    parts.hero.setAttribute('aria-busy', String(state === 'grabbing' || state === 'opening'));
    if (state === 'grabbing' && !parts.said.textContent) {
        place.say('envelope.grabbing');
    }
    if (state === 'opened') {
        markOpened(app.i18n, parts.hero, {
            credited: app.account.me?.pending === 0, luckiest: envelope.luckiest?.seq === mine.seq,
        });
    }
    drawList(place, state, envelope, claims, mine);
    drawTools(place, envelope);
    app.setState(state);
    if (OVER.includes(state) && ['sealed', 'grabbed'].includes(place.shown)) {
        present(place); /* it ended while it was looked at */
    }
    place.shown = state;
}

/* Claims and sums are for those who have opened, for the sender, and when it is over: until then knowing them would
 * make waiting pay. */
function drawList({node, parts, user, visit, watch}, state, envelope, claims, mine) {
    const seen = SEEN.includes(state) || user === envelope.sender.user;
    parts.list.node.hidden = !seen;
    node.classList.toggle('wide', seen);
    if (seen) {
        watch?.wantClaims();
        parts.list.update(envelope, claims.map((c) => (c.seq === mine?.seq ? {...c, thanks: ownThanks(visit)} : c)), mine);
    }
}

function drawHero(place, {cover, mine, luckiest}) {
    const {app, parts} = place;
    const {i18n} = app;
    const {t} = i18n;
    const {envelope} = place.visit.known;
    const held = parts.hero.contains(document.activeElement) ? document.activeElement?.getAttribute('data-hold') : null;
    const closed = () => [
        h('p', {id: 'over', class: 'over', tabindex: -1, 'data-hold': 'over'}, t(overKey(cover, envelope, place.user))),
        h('button', {class: 'link', 'data-do': 'look', 'data-hold': 'look', onclick: lookAtList}, t('envelope.look')),
    ];
    const hint = (text, more = {}) => h('p', {class: 'hint', ...more}, text);
    const until = () => hint(t('envelope.until', {time: i18n.date(envelope.expires_at)}), {class: 'hint until'});
    const drawings = {
        opened: () => [packetOpened(i18n, envelope, {fen: mine.amount, currency: app.store.currency()}),
            thanksBar(place), sendToo(app, luckiest ? 'envelope.your_turn' : 'envelope.send_too')],
        grabbed: () => packetCover(i18n, envelope, {state: 'grabbed', heart: [
            coin(i18n, () => open(place)), parts.said, hint(t('envelope.coin'))]}),
        sealed: () => packetCover(i18n, envelope, {state: 'sealed', onGrab: () => grab(place), heart: [
            seal(t('envelope.hint')), parts.said, hint(countText(app, envelope, {sums: false})), until()]}),
    };
    const drawing = drawings[cover] ?? (() => [
        packetCover(i18n, envelope, {state: 'closed', heart: closed()}), sendToo(app, 'envelope.send_instead')]);
    fill(parts.hero, drawing());
    focusOn(held && parts.hero.querySelector(`[data-hold="${held}"]`));
}

function lookAtList() {
    const list = document.getElementById('everybody');
    list?.scrollIntoView({behavior: prefersStillness() ? 'auto' : 'smooth', block: 'start'});
    list?.focus({preventScroll: true});
}
