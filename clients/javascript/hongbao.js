/* A client of hongbao that repeats requests as the API asks for: browsers and Node 18, no other modules.
 *
 *     const alice = new Hongbao('https://example.org/', token);
 *     const sent = await alice.send(888, 3, {greeting: 'Happy new year'});
 *     const share = await bob.claim(sent.id);    // {state: 'opened', amount: 123, seq: 1, ...}
 * Amounts are in the minor unit. A token is what your back end signs for a user. */

/** The request is wrong, and repeating it would not help. `code` is stable; `problem` has the details. */
export class Refused extends Error {
    constructor(status, problem) {
        super(problem.detail || problem.code || `status ${status}`);
        Object.assign(this, {name: 'Refused', status, code: problem.code ?? '', problem});
    }
}

const newKey = () => Date.now().toString(36) + Math.random().toString(36).slice(2); // unique, but no secret

/** No answer within `patience`. The request may have been carried out: repeat it with the same key. */
export class Unavailable extends Error {}

export class Hongbao {
    /** base: the address of the page. patience: seconds until a call gives up; timeout: of one request. */
    constructor(base, token, {patience = 60, timeout = 15} = {}) {
        Object.assign(this, {base: base.replace(/\/*$/, '/v1/'), token, patience, timeout});
    }

    /** Send an envelope; resolves to it. Keep `key` if you want to repeat the call after Unavailable. */
    send(total, shares, {mode = 'lucky', key = newKey(), ...more} = {}) {
        return this.#call('POST', 'envelopes', {mode, total, shares, ...more}, key);
    }

    /** Try for a share. Resolves to {state: 'opened', amount, seq, opened_at}, the same in each call, or to
     * {state: 'sold_out'} or {state: 'expired'}. */
    async claim(envelope) {
        const answer = await this.#call('POST', `envelopes/${envelope}/claim`);
        if (answer.state === 'opened') {
            return answer;
        }
        const {mine} = await this.envelope(envelope); // an earlier answer may have been lost
        return mine ? {state: 'opened', ...mine} : answer;
    }

    /** Resolves to the envelope with its claims. */
    envelope(envelope) {
        return this.#call('GET', `envelopes/${envelope}`);
    }

    /* Repeat the identical request until its answer is final. */
    async #call(method, path, body, key) {
        const end = Date.now() + this.patience * 1000;
        for (let tries = 0; ; tries++) {
            const {status, retryAfter, answer} = await this.#once(method, path, body, key);
            if (status >= 200 && status < 300 && answer.state !== 'busy') {
                return answer;
            }
            if (status >= 400 && status < 500 && ![408, 409, 429].includes(status)) {
                throw new Refused(status, answer);
            }
            const pause = (1000 + 300 * Math.random()) * (retryAfter || Math.min(8, 0.5 * 2 ** tries));
            if (Date.now() + pause > end) {
                throw new Unavailable(answer.code ?? 'no answer');
            }
            await new Promise((resolve) => setTimeout(resolve, pause));
        }
    }

    /* Resolves to {status, retryAfter, answer}; status 0: no answer. */
    async #once(method, path, body, key) {
        const headers = {Authorization: `Bearer ${this.token}`, ...(body && {'Content-Type': 'application/json'}),
            ...(key && {'Idempotency-Key': key})};
        const options = {method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(this.timeout * 1000)};
        try {
            const response = await fetch(this.base + path, options);
            const answer = await response.json().catch((error) => (response.ok ? Promise.reject(error) : {}));
            return {status: response.status, retryAfter: Number(response.headers.get('Retry-After')), answer};
        } catch {
            return {status: 0, retryAfter: 0, answer: {}};
        }
    }
}
