// @ts-check
/* The HTTP API as functions. Every failure, whatever its cause, is an ApiError with a code: the
 * problem codes of the API, and `timeout` and `network` of our own. Nothing is repeated here. */
import {throwIfAborted} from './retry.js';

const TIMEOUT_MS = 10000;

/* How many claims are asked for at once. */
export const CLAIMS_PAGE = 100;

export class ApiError extends Error {
    /**
     * @param {{status?: number, code: string, detail?: string, member?: string, retryAfter?: number,
     *     limit?: number | null}} problem
     *     retryAfter: seconds, 0 if the server did not say; member: the field at fault, or ''; limit: the one that was passed, or null
     */
    constructor({status = 0, code, detail = '', member = '', retryAfter = 0, limit = null}) {
        super(detail || code);
        this.status = status;
        this.code = code;
        this.detail = detail;
        this.member = member;
        this.retryAfter = retryAfter;
        this.limit = limit;
    }
}

/* A key that no other request has. crypto.randomUUID is missing on pages without TLS. */
export function newKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}

/**
 * The API as functions.
 * @param {{base: URL, token: () => string | null, onUnauthorized?: (code: string) => void,
 *     ahead?: import('../types').Ahead[], fetch?: typeof webFetch}} given base ends in "v1/"; onUnauthorized is
 *     called when the present token was refused
 * @returns {import('../types').Api}
 */
export function createApi({base, token, onUnauthorized, ahead = [], fetch = webFetch}) {
    /**
     * Resolves as ask() does: with the answer that was requested ahead, once, if it is just that; else asks.
     * @param {string} path
     * @param {{sent: string | null, method: string, headers: Record<string, string>, body?: any}} call
     * @param {AbortSignal} [signal]
     */
    async function answerTo(path, {sent, ...request}, signal) {
        const early = ahead.find((a) => request.method === 'GET' && a.path === path && a.sent === sent);
        if (early) {
            ahead.splice(ahead.indexOf(early), 1);
        }
        const response = early ? await inTime(early.response) : null;
        throwIfAborted(signal);
        return response ?? ask(fetch, new URL(path, base), request, signal);
    }

    /**
     * @param {string} method
     * @param {string} path
     * @param {import('../types').CallOptions & {body?: any, key?: string, anonymous?: boolean}} [options]
     * @returns {Promise<import('../types').Answer>}
     */
    async function call(method, path, {body, key, etag, signal, anonymous} = {}) {
        const sent = anonymous ? null : token();
        const headers = headersFor({sent, body, key, etag});
        let response = await answerTo(path, {method, headers, body, sent}, signal);
        if (sent && isRefused(response)) { // a guest whose token is forgotten has lost everything: make sure
            response = await ask(fetch, new URL(path, base), {method, headers, body}, signal);
        }
        if (response.status === 304) {
            return {status: 304, body: null, etag};
        }
        if (!response.ok || response.data === null) {
            const error = problemOf(response);
            if (error.status === 401 && sent && sent === token()) {
                onUnauthorized?.(error.code);
            }
            throw error;
        }
        return {status: response.status, body: response.data, etag: response.headers.get('ETag')};
    }

    return {
        guest: (name, o) => call('POST', 'guests', {...o, body: name ? {name} : {}, anonymous: true}),
        me: (o) => call('GET', 'me', o),
        send: (body, key, o) => call('POST', 'envelopes', {...o, body, key}),
        claim: (id, o) => call('POST', pathOf(id) + '/claim', o),
        grab: (id, o) => call('POST', pathOf(id) + '/grab', o),
        open: (id, ticket, o) => call('POST', pathOf(id) + '/open', {...o, body: {ticket}}),
        envelope: (id, page, o) => call('GET', pathOf(id) + queryOf(page), o),
        thank: (id, thanks, o) => call('POST', pathOf(id) + '/thanks', {...o, body: {thanks}}),
        recall: (id, o) => call('POST', pathOf(id) + '/recall', o),
        site: (o) => call('GET', 'site', {...o, anonymous: true}),
        preview: (id, o) => call('GET', pathOf(id), {...o, anonymous: true}),
        records: (kind, page, o) => call('GET', 'me/' + kind + queryOf(page), o),
    };
}

/**
 * Take over the requests that boot.js has sent, in the form that createApi takes. If boot.js comes later, it sends none.
 * @param {{hongbaoAhead?: {path: string, token: string | null, answer: Promise<any>}[]}} window
 * @returns {import('../types').Ahead[]}
 */
export function takeAhead(window) {
    const sent = window.hongbaoAhead ?? [];
    window.hongbaoAhead = [];
    return sent.map(({path, token, answer}) => {
        const response = answer.then(({text, ...rest}) => ({...rest, data: parse(text)}));
        response.catch(() => undefined);
        return {path, sent: token, response};
    });
}

/* A token that has expired is refused for good. */
function isRefused(response) {
    return response.status === 401 && response.data?.code !== 'token_expired';
}

/** @type {typeof globalThis.fetch} */
function webFetch(input, init) {
    return globalThis.fetch(input, init);
}

function pathOf(id) {
    return 'envelopes/' + encodeURIComponent(id);
}

/** @param {{sent: string | null, body?: any, key?: string, etag?: string | null}} request */
function headersFor({sent, body, key, etag}) {
    /** @type {Record<string, string>} */
    const headers = {};
    if (sent) {
        headers.Authorization = 'Bearer ' + sent;
    }
    if (body !== undefined) {
        headers['Content-Type'] = 'application/json';
    }
    if (key) {
        headers['Idempotency-Key'] = key;
    }
    if (etag) {
        headers['If-None-Match'] = etag;
    }
    return headers;
}

/* "?year=2026&after=x" without the members that are null or undefined. */
function queryOf(page) {
    const known = Object.entries(page ?? {}).filter(([, v]) => v !== null && v !== undefined);
    return known.length ? '?' + new URLSearchParams(known.map(([name, v]) => [name, String(v)])) : '';
}

/**
 * One request within TIMEOUT_MS, the body read and parsed: {status, ok, headers, data}, data null if
 * it is no JSON. An abort by the caller's signal is passed on as it is.
 * @param {typeof webFetch} fetch
 * @param {URL} url
 * @param {{method: string, headers: Record<string, string>, body?: any}} request
 * @param {AbortSignal} [signal]
 * @returns {Promise<import('../types').HttpResponse>}
 */
async function ask(fetch, url, {method, headers, body}, signal) {
    const clock = new AbortController();
    const timer = setTimeout(() => clock.abort(), TIMEOUT_MS);
    const stop = () => clock.abort();
    signal?.addEventListener('abort', stop);
    try {
        const response = await fetch(url, {
            method,
            headers,
            body: body === undefined ? undefined : JSON.stringify(body),
            cache: 'no-store',
            credentials: 'omit',
            signal: clock.signal,
        });
        const data = parse(await response.text());
        return {status: response.status, ok: response.ok, headers: response.headers, data};
    } catch {
        throwIfAborted(signal);
        throw new ApiError({code: clock.signal.aborted ? 'timeout' : 'network'});
    } finally {
        clearTimeout(timer);
        signal?.removeEventListener('abort', stop);
    }
}

/* The response, or null if it failed: then it is worth asking again. @param {Promise<any>} response */
function inTime(response) {
    const late = new Promise((_, reject) => setTimeout(() => reject(new ApiError({code: 'timeout'})), TIMEOUT_MS));
    return Promise.race([response.catch(() => null), late]);
}

function parse(text) {
    try {
        return JSON.parse(text);
    } catch {
        return null;
    }
}

/* Answers that are no problem document (a proxy's, a cut one) count as unavailable. */
function problemOf({status, headers, data}) {
    const retryAfter = Number.parseInt(headers.get('Retry-After') ?? '0', 10) || 0;
    const code = typeof data?.code === 'string' ? data.code : 'unavailable';
    return new ApiError({status, code, detail: data?.detail, member: data?.member, retryAfter, limit: data?.limit ?? null});
}
