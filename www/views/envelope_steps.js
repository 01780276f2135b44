// @ts-check
/* The steps of a visit to an envelope, grab and open, and how what came of them is shown, read out and felt. `place` is
 * that of envelope.js. */
import {celebrate, prepare, prepareSound} from './celebration.js';
import {focusOn} from './dom.js';
import {errorPanel, focusPanel, panelCodeOf, showError} from './error_panel.js';

/* Takes a step and shows what came of it; an error that stays is shown under the cover, which can then be tapped
 * again. */
async function take(place, step) {
    const {app, parts, signal, visit, watch} = place;
    place.say('');
    parts.hero.querySelector('.trouble')?.remove();
    try {
        if (await step()) {
            place.say('');
            if (visit.known.envelope) {
                present(place);
            } else {
                place.unseen = true;
            }
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

export function grab(place) {
    prepare()?.catch(() => undefined);
    take(place, place.visit.grab);
}

export function open(place) {
    place.parts.hero.querySelector('.coin')?.classList.add('turning');
    place.sound = prepareSound(place.app.store.sound());
    take(place, place.visit.open);
}

function failed(place, error) {
    const {app, parts, visit} = place;
    if (['not_recipient', 'not_found'].includes(error.code) || !visit.known.envelope) {
        showError(place, error, {});
        return;
    }
    const again = visit.known.ticket ? open : grab;
    const trouble = errorPanel(app, panelCodeOf(error),
        {detail: error.detail, again: () => again(place), home: false, compact: true});
    parts.hero.append(trouble);
    place.drawn = '';
    focusPanel(parts.hero);
}

/* The key of the words for how an envelope ended. */
export function overKey(state, envelope, user) {
    if (state !== 'expired' || envelope?.closed_by !== 'sender') {
        return 'over.' + state;
    }
    return envelope.sender.user === user ? 'over.recalled.own' : 'over.recalled';
}

/* Brings what has just come about to eyes, ears and the focus. What has the focus is read out by itself. */
export function present({app, parts: {hero}, say, sound, user, visit}) {
    const {t} = app.i18n;
    const state = visit.state();
    if (state === 'opened') {
        hero.classList.add('fresh');
        const amount = hero.querySelector('#mine');
        focusOn(amount);
        app.announce(t('envelope.won', {amount: app.money(visit.known.mine.amount)}));
        celebrate(amount, {sound});
    } else if (state === 'grabbed') {
        focusOn(hero.querySelector('.coin'));
        say('envelope.grabbed');
    } else if (state === 'sold_out' || state === 'expired') {
        focusOn(hero.querySelector('#over'));
        app.announce(t(overKey(state, visit.known.envelope, user)));
    }
}
