// @ts-check
/* One person's visit to one envelope: what is known, and which step is under way. No DOM; the calls to
 * the service are passed in. The state follows from what is known:
 *   sealed, grabbing, grabbed, opening, opened, sold_out, expired
 * "opened" stands for having a share, whether or not the envelope has closed since. A ticket promises nothing, so a
 * closed envelope is closed for its holder, too. */
import {grabUntilFinal, openUntilFinal} from './grab_open.js';
import {persist} from './retry.js';

/* calls: grab(), open(ticket), look() resolve to the API's answers (look: the envelope); turned() resolves
 * when the coin has turned long enough; options: as flow.js takes them. onStep() is told when a step begins
 * or has ended. */
export function createVisit({calls, turned, options, onStep}) {
    /** @type {{envelope: any, claims: import('../types').Claim[], mine: import('../types').Mine | null,
     *     ticket: string | null, final: string | null, doing: string | null, thanks: string | null}} */
    const known = {envelope: null, claims: [], mine: null, ticket: null, final: null, doing: null, thanks: null};

    /* What following the envelope brought. */
    function learn(envelope, claims) {
        Object.assign(known, {envelope, claims, mine: known.mine ?? envelope.mine});
    }

    /* Runs one step at a time. Resolves to true when it came to an answer, false if another is under way;
     * rejects with the error that remains after all repeating. */
    async function step(doing, work) {
        if (known.doing) {
            return false;
        }
        known.doing = doing;
        onStep();
        try {
            await take(await work());
        } finally {
            known.doing = null;
            onStep();
        }
        return true;
    }

    /* A final answer of grab or open. "Sold out" and "expired" are said to winners too, so only the
     * envelope itself tells whether this person has a share. */
    async function take(answer) {
        if (answer.state === 'opened') {
            known.mine = {amount: answer.amount, seq: answer.seq};
        } else if (answer.state !== 'grabbed') {
            known.mine = (await persist(calls.look, options)).mine;
            known.final = answer.state;
        }
        known.ticket = answer.state === 'grabbed' ? answer.ticket : null;
    }

    return {
        known,
        learn,
        state: () => stateOf(known),
        grab: () => step('grabbing', () => grabUntilFinal(calls, options)),
        open: () => step('opening', async () => {
            const [answer] = await Promise.all([openUntilFinal(calls, known.ticket ?? '', options), turned()]);
            return answer;
        }),
    };
}

function stateOf({doing, mine, ticket, final, envelope}) {
    if (doing) {
        return doing;
    }
    if (mine) {
        return 'opened';
    }
    const over = final ?? (envelope && envelope.state !== 'open' ? envelope.state : null);
    return over ?? (ticket ? 'grabbed' : 'sealed');
}
