// @ts-check
/* Grab and open as people see them: every answer of the service that means "ask again" is handled
 * here, so that a view learns only what is final. No DOM; the calls are passed in. */
import {delayMs, persist, sleep} from './retry.js';

/**
 * calls.grab() resolves to the answer of a grab or claim. Asks again while it says busy, for as long as that
 * takes (the signal ends it). Resolves to {state: grabbed | opened | sold_out | expired, ...}.
 * onWait(code) is called before each pause.
 * @param {{grab: () => Promise<any>}} calls
 * @param {import('../types').StepOptions} [options]
 */
export async function grabUntilFinal(calls, {signal, onWait, pause = sleep} = {}) {
    const tell = (error) => onWait?.(error.code);
    for (;;) {
        const answer = await persist(() => calls.grab(), {signal, pause, onWait: tell});
        if (answer.state !== 'busy') {
            return answer;
        }
        onWait?.('busy');
        await pause(delayMs(answer.retry_after, 1), signal);
    }
}

/**
 * Open with the ticket. A ticket that lapsed (or that a restored service no longer knows) is
 * replaced by grabbing again: one tap is enough. Resolves to
 * {state: opened | sold_out | expired, ...}.
 * @param {{grab: () => Promise<any>, open: (ticket: string) => Promise<any>}} calls
 * @param {string} ticket
 * @param {import('../types').StepOptions} [options]
 */
export async function openUntilFinal(calls, ticket, options = {}) {
    const {signal, onWait, pause} = options;
    const tell = (error) => onWait?.(error.code);
    for (let rounds = 0; ; rounds++) {
        try {
            const held = ticket;
            return await persist(() => calls.open(held), {signal, pause, onWait: tell});
        } catch (error) {
            const lapsed = error.code === 'ticket_expired' || error.code === 'ticket_invalid';
            if (!lapsed || rounds >= 5) {
                throw error;
            }
            onWait?.(error.code);
            const again = await grabUntilFinal(calls, options);
            if (again.state !== 'grabbed') {
                return again;
            }
            ticket = again.ticket;
        }
    }
}
