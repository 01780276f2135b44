// @ts-check
/* The start: the form that puts money into an envelope. The form has one idempotency key from its first
 * letter to the answer of its send; both outlive a reload. */
import {newKey} from '../lib/api.js';
import {mayRepeat, persist} from '../lib/retry.js';
import {bodyOf, emptyFields, faultOf, fieldOf, totalOf} from '../lib/send_form.js';
import {amountParts, fill, h} from './dom.js';
import {packetCover, seal} from './cover.js';
import {blame, blankFields, buildParts, defaultGreeting, moneyUnit} from './send_fields.js';
import {focusPanel, errorPanel, panelCodeOf} from './error_panel.js';

/* A send without an answer is asked after by itself when it is younger than this. */
const FRESH_MS = 600000;

/** @param {import('../types').App} app */
export function sendView(app, params, signal) {
    const place = h('div', {class: 'send'});
    const begin = () => {
        fill(place, sendForm(app, signal));
        return 'form';
    };
    const open = app.store.unfinishedSend();
    const state = open ? 'unknown' : begin();
    if (open) {
        unfinished(app, signal, place, open);
    }
    app.account.settle();
    return {title: app.i18n.t('send.title'), node: place, data: {view: 'send', state}};
}

/** @returns {ReturnType<typeof emptyFields>} */
function fieldsOf(form) {
    const names = Object.keys(emptyFields());
    return /** @type {any} */ (Object.fromEntries(names.map((name) => [name, form.elements[name]?.value ?? ''])));
}

/**
 * The form, as it was left: its nodes. `place` gathers app, signal, the draft {key, fields} and parts.
 * @param {import('../types').App} app
 */
function sendForm(app, signal) {
    const draft = app.store.draft() ?? {key: newKey(), fields: blankFields(app)};
    const parts = buildParts(app, {...blankFields(app), ...draft.fields});
    const place = {app, signal, draft, parts};
    parts.form.addEventListener('input', () => edited(place));
    parts.form.addEventListener('click', (event) => {
        const fen = /** @type {HTMLElement} */ (event.target).dataset?.fen;
        if (fen && parts.form.contains(/** @type {Node} */ (event.target))) {
            /** @type {any} */ (parts.form.elements).amount.value = app.yuan(Number(fen));
            edited(place);
        }
    });
    parts.form.addEventListener('submit', (event) => {
        event.preventDefault();
        submit(place);
    });
    app.account.listen(() => draw(place), signal);
    draw(place);
    return [parts.form, parts.preview];
}

/* What follows from the fields: labels, the sum, the envelope as it will look. */
function draw({app, parts}) {
    const {t} = app.i18n;
    const {form, hint, preview, sum} = parts;
    const fields = fieldsOf(form);
    const total = totalOf(fields) ?? 0;
    form.querySelector('#amount-label').textContent = t(fields.mode === 'lucky' ? 'send.total' : 'send.each');
    form.querySelector('#amount-unit').textContent = moneyUnit(app);
    form.querySelector('#ids-label').textContent = t(fields.to === 'group' ? 'send.group' : 'send.ids');
    form.elements.ids.closest('.field-with-fault').hidden = fields.to === 'link';
    form.querySelectorAll('.theme-choice').forEach((choice) =>
        choice.classList.toggle('chosen', choice.dataset.theme === fields.theme));
    hint.textContent = t('send.hint.' + fields.mode);
    sum.dataset.fen = total;
    fill(sum, amountParts(app.i18n, total, app.store.currency()));
    fill(preview, packetCover(app.i18n, {
        sender: {name: app.account.me?.name ?? '·'}, mode: /** @type {import('../types').Mode} */ (fields.mode),
        greeting: fields.greeting.trim() || defaultGreeting(app), theme: fields.theme,
    }, {state: 'sealed', heart: seal(t('envelope.hint')), heading: 'p'}));
}

function edited(place) {
    const {app, draft, parts} = place;
    draft.fields = fieldsOf(parts.form);
    app.store.keepDraft(draft);
    blame(parts, null);
    fill(parts.trouble);
    draw(place);
}

async function submit(place) {
    const {app, signal, draft, parts} = place;
    const {t} = app.i18n;
    const fields = fieldsOf(parts.form);
    const wrong = faultOf(fields, app.site?.limits);
    if (wrong) {
        blame(parts, wrong.field, t(wrong.fault, {limit: limitText(app, wrong.field, wrong.limit)}));
        return;
    }
    parts.fieldset.disabled = true;
    app.setState('sending');
    draft.fields = fields;
    app.store.keepDraft(draft);
    const send = {key: draft.key, body: bodyOf(fields, defaultGreeting(app))};
    app.store.keepSend(send);
    await finish(app, signal, {...send, doubtful: false}, parts, (error) => refused(place, error));
}

/* A limit as it is read: money, a time, or a number. */
function limitText({i18n, money}, field, limit) {
    if (limit === undefined || limit === null) {
        return '';
    }
    return field === 'amount' ? money(limit) : field === 'expires' ? i18n.duration(limit) : limit;
}

/* Nothing was sent; what was typed stays. */
function refused(place, error) {
    const {app, draft, parts} = place;
    const {t} = app.i18n;
    parts.fieldset.disabled = false;
    parts.said.textContent = '';
    app.setState('form');
    fill(parts.trouble);
    if (error.code === 'invalid_request') {
        const name = fieldOf(error.member);
        const known = name && error.limit !== null && error.limit !== undefined;
        const key = name ? 'fault.range.' + name + (known ? '.limit' : '') : 'fault.other';
        blame(parts, name, t(key, {detail: error.detail, limit: limitText(app, name, error.limit)}));
        return;
    }
    if (error.code === 'idempotency_key_reused') {
        draft.key = newKey();
        app.store.keepDraft(draft);
    }
    fill(parts.trouble, errorPanel(app, panelCodeOf(error),
        {detail: error.detail, compact: true, home: false, actions: waysOn(place, error)}));
    focusPanel(parts.trouble);
}

/* What helps after a refusal. */
function waysOn(place, error) {
    const {app, parts: {form}} = place;
    const {t} = app.i18n;
    const {me} = app.account;
    if (error.code === 'idempotency_key_reused') {
        return [h('a', {class: 'button quiet', href: '?v=sent'}, t('records.sent'))];
    }
    if (error.code !== 'insufficient_funds' || !me?.balance) {
        return [h('a', {class: 'button quiet', href: '?v=ledger'}, t('records.ledger'))];
    }
    const all = () => {
        form.elements.mode.value = 'lucky';
        form.elements.amount.value = app.yuan(me.balance);
        edited(place);
        form.elements.amount.focus();
    };
    return [h('button', {class: 'button quiet', type: 'button', 'data-do': 'all', onclick: all},
        t('send.all', {amount: app.money(me.balance)}))];
}

/**
 * Brings a kept send to a definite answer: the identical request with its one key, again while that may
 * help. A refusal forgets it (nothing happened); no answer keeps it for later. doubtful: whether an
 * earlier request may have been carried out.
 * @param {import('../types').App} app
 */
async function finish(app, signal, {key, body, doubtful}, {said, trouble}, onRefusal) {
    const {t} = app.i18n;
    said.textContent = t('send.busy');
    /* A 401 ends the session and with it this view. It tells nothing of earlier requests. */
    const ask = async () => {
        try {
            return await app.api.send(body, key, {signal});
        } catch (error) {
            if (error.status === 401 && !doubtful) {
                app.store.forgetSend(key);
            }
            doubtful = true;
            throw error;
        }
    };
    const waiting = (error) => {
        said.textContent = '';
        fill(trouble, errorPanel(app, panelCodeOf(error), {compact: true, home: false, waiting: true}));
    };
    try {
        const answer = await persist(ask, {signal, onWait: waiting, pause: app.pause});
        app.store.forgetSend(key);
        app.store.forgetDraft();
        app.account.refresh();
        app.go('?e=' + answer.body.id, {share: true});
    } catch (error) {
        if (signal.aborted) {
            return;
        }
        if (mayRepeat(error)) {
            app.show();
            return;
        }
        if (error.status !== 401) {
            app.store.forgetSend(key);
            onRefusal(error);
        }
    }
}

/**
 * Shown while a send without a definite answer is remembered.
 * @param {import('../types').App} app
 */
function unfinished(app, signal, place, send) {
    const {t} = app.i18n;
    const parts = {
        said: h('p', {class: 'said', id: 'said', role: 'status'}),
        trouble: h('div'),
        button: h('button', {class: 'button wide', 'data-do': 'again', onclick: again}, t('send.ask')),
    };
    const backToForm = (error) => {
        fill(place, sendForm(app, signal));
        app.setState('form');
        const trouble = place.querySelector('.send-trouble');
        fill(trouble, errorPanel(app, panelCodeOf(error), {detail: error.detail, compact: true, home: false}));
        focusPanel(trouble);
    };
    async function again() {
        parts.button.disabled = true;
        fill(parts.trouble);
        await finish(app, signal, {...send, doubtful: true}, parts, backToForm);
        parts.button.disabled = false;
    }
    fill(place, h('section', {class: 'card narrow stack center unknown'},
        h('h1', null, t('send.unknown.title')),
        h('p', null, t('send.unknown', {
            amount: app.money(send.body.total), n: send.body.shares, greeting: send.body.greeting})),
        parts.button, parts.said, parts.trouble));
    if (Date.now() - send.at < FRESH_MS) {
        again();
    }
}
