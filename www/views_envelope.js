/* One envelope: its face with the one button that matters, the link to share, who opened it. */
import {copyText, fill, h} from './dom.js';
import {grabUntilFinal, openUntilFinal} from './flow.js';
import {formatMoney} from './money.js';
import {persist} from './retry.js';
import {guestForm} from './views_signin.js';
import {watchEnvelope} from './watch.js';

/* Reasons to wait, in the words of the strings table. */
const WAITS = {
    busy: 'envelope.busy',
    rate_limited: 'envelope.rate_limited',
    ticket_expired: 'envelope.lapsed',
    ticket_invalid: 'envelope.lapsed',
};
const FAILURES = {
    not_found: 'envelope.missing',
    not_recipient: 'envelope.forbidden',
    unauthorized: 'envelope.private',
};

export function envelopeView(app, params, signal) {
    const {t} = app.i18n;
    const id = params.get('e');
    const node = h('div', {class: 'stack'}, h('p', {class: 'card center'}, t('loading')));
    const failed = (error) => {
        if (!signal.aborted) {
            fill(node, failureCard(app, error));
        }
    };
    if (app.store.token()) {
        signedIn(app, id, node, signal, failed);
    } else {
        preview(app, id, node, signal).catch(failed);
    }
    return {title: t('app'), node};
}

function failureCard({i18n: {t, problem}, show}, error) {
    const words = FAILURES[error.code] ? t(FAILURES[error.code]) : problem(error);
    return h('section', {class: 'card center stack'},
        h('p', {role: 'alert'}, words),
        !FAILURES[error.code] && h('button', {class: 'gold', onclick: show}, t('again')),
        h('a', {href: './'}, t('home')));
}

/* The top of the envelope that everybody may see. */
function face({t}, envelope) {
    return [
        h('div', {class: 'avatar', 'aria-hidden': 'true'}, [...envelope.sender.name][0]),
        h('p', {class: 'from'}, t('envelope.of', {name: envelope.sender.name})),
        h('h1', null, envelope.greeting),
        h('p', {class: 'chip'}, t('envelope.' + envelope.mode)),
    ];
}

async function preview(app, id, node, signal) {
    const {t} = app.i18n;
    const {body} = await persist(() => app.api.preview(id, {signal}), {tries: 4, signal});
    const closed = body.state !== 'open';
    fill(node, h('section', {class: 'card red center'},
        face(app.i18n, body),
        h('p', {class: 'soft'}, t(closed ? 'envelope.' + body.state : 'signin.envelope')),
        guestForm(app, signal)));
}

/* The view of somebody signed in: `shown` is all it knows, draw() makes the page from it. */
function signedIn(app, id, node, signal, failed) {
    const shown = {envelope: null, claims: [], more: false, mine: null, ticket: null, final: null};
    const parts = {
        face: h('section', {class: 'card red center face'}),
        share: shareBox(app, id),
        list: h('section', {class: 'card'}),
        said: h('p', {class: 'said', role: 'status'}),
        button: h('button', {class: 'coin', onclick: tap}),
    };
    let busy = false;

    const watch = watchEnvelope({
        ask: (page, options) => app.api.envelope(id, page, options),
        hidden: () => document.hidden,
        signal,
        onError: failed,
        onChange(envelope, claims, more) {
            const first = !shown.envelope;
            const mine = shown.mine ?? envelope.mine;
            Object.assign(shown, {envelope, claims, more, mine});
            draw();
            if (first) {
                fill(node, parts.face, parts.share, parts.list);
            }
        },
    });

    function draw() {
        drawFace(app, parts, shown, busy);
        drawClaims(app, parts.list, shown, () => watch.loadMore());
    }

    async function tap() {
        const calls = {
            grab: async () => (await app.api.grab(id, {signal})).body,
            open: async (ticket) => (await app.api.open(id, ticket, {signal})).body,
        };
        const onWait = (code) => {
            parts.said.textContent = t(WAITS[code] ?? 'envelope.unavailable');
        };
        const {t} = app.i18n;
        busy = true;
        parts.said.textContent = '';
        draw();
        try {
            await take(shown.ticket
                ? await openUntilFinal(calls, shown.ticket, {signal, onWait})
                : await grabUntilFinal(calls, {signal, onWait}));
            parts.said.textContent = shown.ticket ? t('envelope.grabbed') : '';
        } catch (error) {
            parts.said.textContent = signal.aborted ? '' : app.i18n.problem(error);
        }
        busy = false;
        draw();
    }

    /* A final answer of grab or open. "Sold out" and "expired" are said to winners too, so only the
     * envelope itself tells whether this person has a share. */
    async function take(answer) {
        shown.ticket = answer.state === 'grabbed' ? answer.ticket : null;
        if (answer.state === 'opened') {
            shown.mine = {amount: answer.amount, seq: answer.seq};
            app.account.settle();
        } else if (answer.state !== 'grabbed') {
            const ask = () => app.api.envelope(id, {limit: 1}, {signal});
            const {body} = await persist(ask, {signal});
            shown.mine = body.mine;
            shown.final = answer.state;
        }
        watch.poke();
    }
    app.account.refresh();
}

function drawFace(app, parts, shown, busy) {
    const {t, time} = app.i18n;
    const {envelope, mine, ticket} = shown;
    const money = (fen) => formatMoney(fen, app.account.me?.currency);
    const state = shown.final ?? envelope.state;
    const step = ticket ? 'open' : 'grab';
    parts.button.textContent = t('envelope.' + step);
    parts.button.setAttribute('aria-label', t('envelope.' + step + '.label'));
    parts.button.disabled = busy;
    parts.button.classList.toggle('spin', busy);
    let heart;
    if (mine) {
        heart = [h('p', {class: 'amount', id: 'mine'}, money(mine.amount)),
            h('p', {class: 'soft'}, t('envelope.won', {seq: mine.seq, shares: envelope.shares}))];
    } else if (state === 'open' || ticket) {
        heart = [parts.button, parts.said,
            h('p', {class: 'soft'}, t('envelope.until', {time: time(envelope.expires_at)}))];
    } else {
        heart = h('p', {class: 'over', id: 'over'}, t('envelope.' + state));
    }
    const focused = document.activeElement === parts.button;
    fill(parts.face, face(app.i18n, envelope), heart);
    if (focused) {
        parts.button.focus();
    }
}

function drawClaims(app, place, shown, loadMore) {
    const {t, time} = app.i18n;
    const {envelope: e, claims, more} = shown;
    const money = (fen) => formatMoney(fen, app.account.me?.currency);
    const row = (claim) => h('li', {class: 'row'},
        h('span', {class: 'main'}, claim.name, e.luckiest?.seq === claim.seq && e.state !== 'open' &&
            h('span', {class: 'crown'}, t('envelope.luckiest'))),
        h('span', {class: 'side'}, money(claim.amount)),
        h('span', {class: 'note'}, time(claim.opened_at)));
    fill(place,
        h('p', {class: 'soft'}, t('envelope.progress', {
            opened: e.opened_shares, shares: e.shares,
            sum: money(e.opened_total), total: money(e.total),
        })),
        h('progress', {max: e.shares, value: e.opened_shares}),
        e.refunded > 0 && h('p', {class: 'soft'},
            t('envelope.refunded', {amount: money(e.refunded)})),
        claims.length ? h('ul', {class: 'rows'}, claims.map(row))
            : h('p', {class: 'soft center'}, t('envelope.nobody')),
        more && h('button', {class: 'plain wide', onclick: loadMore}, t('envelope.more')));
}

function shareBox(app, id) {
    const {t} = app.i18n;
    const here = window.location;
    const link = new URL('?e=' + id, here.origin + here.pathname).href;
    const input = h('input', {id: 'link', readonly: true, value: link, onfocus: (e) => e.target.select()});
    const button = h('button', {class: 'gold', onclick: copy}, t('envelope.copy'));
    async function copy() {
        const done = await copyText(link, input);
        button.textContent = t(done ? 'envelope.copied' : 'envelope.copy');
    }
    return h('section', {class: 'card share'},
        h('label', {for: 'link'}, t('envelope.share')), h('div', {class: 'line'}, input, button));
}
