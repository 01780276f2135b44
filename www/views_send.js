/* The start: the balance and the form that puts money into an envelope. */
import {newKey} from './api.js';
import {fill, h} from './dom.js';
import {formatMoney, parseCount, parseYuan, timesFen} from './money.js';
import {mayRepeat, persist} from './retry.js';

const EXPIRES_S = [3600, 86400, 259200];

export function sendView(app, params, signal) {
    const {t} = app.i18n;
    const place = h('div');
    const show = (...nodes) => fill(place, ...nodes);
    if (app.store.unfinishedSend()) {
        show(unfinished(app, signal, () => show(sendForm(app, signal))));
    } else {
        show(sendForm(app, signal));
    }
    return {title: t('send.title'), node: h('div', {class: 'stack'}, balanceCard(app, signal), place)};
}

/* Follows the account for as long as the view is shown. */
function balanceCard(app, signal) {
    const {t} = app.i18n;
    const card = h('section', {class: 'card red center balance'});
    const draw = () => {
        const {me} = app.account;
        fill(card,
            h('p', {class: 'soft'}, me ? t('home.hello', {name: me.name}) : t('loading')),
            h('p', {class: 'amount'}, me ? formatMoney(me.balance, me.currency) : '—'),
            h('p', {class: 'soft'}, me?.pending
                ? t('home.pending', {amount: formatMoney(me.pending, me.currency)})
                : t('home.balance')));
    };
    draw();
    app.account.listen(draw, signal);
    app.account.settle();
    return card;
}

/* What the form holds: {mode, fen, shares, total}, null where it does not parse. In equal mode people
 * give the amount per share, in lucky mode the total. */
function readForm(form) {
    const mode = form.elements.mode.value;
    const fen = parseYuan(form.elements.amount.value);
    const shares = parseCount(form.elements.shares.value);
    const known = fen !== null && shares !== null;
    const total = mode === 'lucky' ? fen : known ? timesFen(fen, shares) : null;
    return {mode, fen, shares, total};
}

/* The key of the sentence that says what is wrong with it, or null. */
function faultOf({fen, shares, total}) {
    if (!fen) {
        return 'send.bad.amount';
    }
    if (shares === null) {
        return 'send.bad.shares';
    }
    return total === null ? 'send.bad.amount' : total < shares ? 'send.bad.least' : null;
}

function sendForm(app, signal) {
    const {t} = app.i18n;
    const said = h('p', {class: 'said', role: 'status'});
    const label = h('label', {for: 'amount'});
    const button = h('button', {class: 'gold wide'});
    const mode = (name, checked) => h('label', {class: 'tab'},
        h('input', {type: 'radio', name: 'mode', value: name, checked}),
        h('span', null, t('send.' + name)));
    const amount = h('input', {
        id: 'amount', name: 'amount', inputmode: 'decimal', autocomplete: 'off', placeholder: '0.00',
    });
    const form = h('form', {class: 'card stack', novalidate: true},
        h('h1', null, t('send.title')),
        h('div', {class: 'tabs', role: 'radiogroup'}, mode('lucky', true), mode('equal', false)),
        label, amount,
        h('label', {for: 'shares'}, t('send.shares')),
        h('input', {id: 'shares', name: 'shares', inputmode: 'numeric', autocomplete: 'off',
            placeholder: '10'}),
        h('label', {for: 'greeting'}, t('send.greeting')),
        h('input', {id: 'greeting', name: 'greeting', autocomplete: 'off', maxlength: 100,
            placeholder: t('send.greeting.hint')}),
        h('label', {for: 'expires'}, t('send.expires')),
        h('select', {id: 'expires', name: 'expires'}, EXPIRES_S.map((s) =>
            h('option', {value: s, selected: s === 86400}, t('send.expires.' + s)))),
        button, said);

    function draw() {
        const values = readForm(form);
        label.textContent = t(values.mode === 'lucky' ? 'send.total' : 'send.each');
        const sum = formatMoney(values.total ?? 0, app.account.me?.currency);
        button.textContent = t('send.go', {amount: sum});
    }

    async function submit(event) {
        event.preventDefault();
        const values = readForm(form);
        const fault = faultOf(values);
        if (fault) {
            said.textContent = t(fault);
            return;
        }
        const greeting = form.elements.greeting.value.trim();
        const body = {
            mode: values.mode,
            total: values.total,
            shares: values.shares,
            expires_in: Number(form.elements.expires.value),
            ...(greeting && {greeting}), /* without one the service has its own */
        };
        app.store.keepSend({key: newKey(), body});
        button.disabled = true;
        await finish(app, signal, said);
        button.disabled = false;
    }
    form.addEventListener('input', draw);
    form.addEventListener('submit', submit);
    app.account.listen(draw, signal);
    draw();
    return form;
}

/* Brings the kept send to a definite answer: the identical request with its one key, again while that
 * may help. A refusal forgets it (nothing happened); no answer keeps it for later. */
async function finish(app, signal, said) {
    const {t, problem} = app.i18n;
    const {key, body} = app.store.unfinishedSend();
    said.textContent = t('send.busy');
    try {
        const answer = await persist(() => app.api.send(body, key, {signal}),
            {signal, onWait: () => { said.textContent = t('send.retry'); }});
        app.store.forgetSend();
        app.account.refresh();
        app.go('?e=' + answer.body.id);
    } catch (error) {
        if (signal.aborted) {
            return;
        }
        if (mayRepeat(error) || error.status === 401) {
            said.textContent = t('send.unknown');
            app.show();
            return;
        }
        app.store.forgetSend();
        said.textContent = problem(error);
    }
}

/* Shown while a send without a definite answer is remembered; done() when it is settled. */
function unfinished(app, signal, done) {
    const {t} = app.i18n;
    const said = h('p', {class: 'said', role: 'status'}, t('send.unknown'));
    const button = h('button', {class: 'gold wide', onclick: again}, t('again'));
    async function again() {
        button.disabled = true;
        await finish(app, signal, said);
        button.disabled = false;
        if (!signal.aborted && !app.store.unfinishedSend()) {
            button.replaceWith(h('button', {class: 'plain wide', onclick: done}, t('nav.send')));
        }
    }
    return h('section', {class: 'card stack'}, said, button);
}
