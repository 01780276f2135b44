/* Types of the page's modules, for `tsc` alone: nothing of this file is served. The members of the API are those of
 * openapi.json. */

// ---- the API ----

export type Mode = 'lucky' | 'equal';
export type EnvelopeState = 'open' | 'sold_out' | 'expired';
export type ClosedBy = 'claims' | 'deadline' | 'sender' | 'operator';

export interface Person { user: string; name: string }
export interface Claim extends Person { amount: number; seq: number; opened_at: string; thanks?: string | null }
export interface Luckiest extends Person { amount: number; seq: number }
export interface Mine { amount: number; seq: number; opened_at?: string; credited?: boolean }

/** What anyone may see of an envelope. */
export interface Preview { id: string; sender: Person; mode: Mode; greeting: string; state: EnvelopeState;
    /** The cover, where the service knows it. */
    theme?: string;
    /** Shares that are left, where the service tells it. */
    left?: number;
    /** Whether guests may open it, where the service tells it. */
    guests?: boolean;
}

export interface Envelope extends Preview {
    total: number;
    shares: number;
    to: {users: string[]} | {group: string} | null;
    opened_shares: number;
    /** null while one may not see it yet. */
    opened_total: number | null;
    refunded: number | null;
    created_at: string;
    expires_at: string;
    closed_at: string | null;
    /** What closed it; null while it is open. */
    closed_by: ClosedBy | null;
    seed_hash: string;
    seed: string | null;
    cap: number;
    luckiest: Luckiest | null;
    mine: Mine | null;
    claims: Claim[];
    next: string | null;
}

/** How an envelope ended that its sender took back. */
export interface Recall { state: EnvelopeState; closed_by: ClosedBy; refunded: number; closed_at: string }

/** What the site allows; see GET /v1/site. */
export interface Site {
    demo: boolean;
    /** Whether back ends can withdraw money. */
    withdrawals?: boolean;
    currency: {code: string; decimals: number};
    limits: {[name: string]: number};
    defaults: {greeting?: string; expires_in?: number};
    version?: string;
    /** Covers that an envelope may have, where the service knows them. */
    themes?: string[];
    /** What a sender can be thanked with. */
    thanks?: string[];
}

export interface Me { user: string; name: string; balance: number; pending: number; currency: string }

export interface SendBody {
    mode: Mode;
    total: number;
    shares: number;
    greeting?: string;
    expires_in?: number;
    to?: {users: string[]} | {group: string};
    theme?: string;
}

/** An answer of the API; body is null for 304. */
export interface Answer<T = any> { status: number; body: T; etag: string | null | undefined }

/** A failure of whatever cause: a problem of the API, or `timeout` or `network`. */
export interface Failure extends Error {
    status: number;
    code: string;
    detail: string;
    member: string;
    retryAfter: number;
    /** The limit that was passed, in the member's unit, or null. */
    limit?: number | null;
}

export interface CallOptions { signal?: AbortSignal; etag?: string | null }
export interface Page { after?: string | null; limit?: number; year?: string | null }

export interface Api {
    guest(name: string, o?: CallOptions): Promise<Answer<{user: string; name: string; token: string; balance: number}>>;
    me(o?: CallOptions): Promise<Answer<Me>>;
    send(body: SendBody, key: string, o?: CallOptions): Promise<Answer<Envelope>>;
    claim(id: string, o?: CallOptions): Promise<Answer>;
    grab(id: string, o?: CallOptions): Promise<Answer>;
    open(id: string, ticket: string, o?: CallOptions): Promise<Answer>;
    envelope(id: string, page?: Page, o?: CallOptions): Promise<Answer<Envelope>>;
    preview(id: string, o?: CallOptions): Promise<Answer<Preview>>;
    thank(id: string, thanks: string, o?: CallOptions): Promise<Answer<{seq: number; thanks: string}>>;
    recall(id: string, o?: CallOptions): Promise<Answer<Recall>>;
    site(o?: CallOptions): Promise<Answer<Site>>;
    records(kind: string, page?: Page, o?: CallOptions): Promise<Answer>;
}

/** A request sent before the view that needs its answer is loaded; see boot.js. */
export interface Ahead { path: string; sent: string | null; response: Promise<HttpResponse> }
export interface HttpResponse { status: number; ok: boolean; headers: Headers; data: any }

// ---- repeating ----

export type Pause = (ms: number, signal?: AbortSignal) => Promise<void>;

export interface Patience {
    tries?: number;
    signal?: AbortSignal;
    pause?: Pause;
    onWait?: (error: Failure) => void;
}

export interface StepOptions { signal?: AbortSignal; pause?: Pause; onWait?: (code: string) => void }

// ---- the page ----

/** What a view shows: data becomes data-* of the place. */
export interface Shown { title: string; node: HTMLElement; data: {view: string; state: string; [name: string]: string} }

/** Gives what it shows; the signal aborts when the view is left. */
export type View = (app: App, params: URLSearchParams, signal: AbortSignal) => Shown | Promise<Shown>;

export interface Route { match(params: URLSearchParams, state: any): boolean; view: View; open?: boolean }

export type Storage = ReturnType<typeof import('./lib/browser_storage.js').createStore>;
export type I18n = ReturnType<typeof import('./lib/i18n.js').i18nOf>;
export type Account = ReturnType<typeof import('./lib/account.js').createAccount>;

/** What every view gets; made once, by createApp(). */
export interface App {
    api: Api;
    /** A client for another token, or for none. */
    apiFor(token: string | null): Api;
    store: Storage;
    account: Account;
    i18n: I18n;
    /** Sleeps until the time has passed or the browser is online again. */
    pause: Pause;
    /** Resolves when the page is visible: at once, or when it becomes so. */
    visible(signal: AbortSignal): Promise<void>;
    /** What the site allows, or null where the service does not tell. */
    site: Site | null;
    /** Show another address of the page; state: what the address does not say. */
    go(query: string, state?: any): Promise<void>;
    /** Draw the present address again. */
    show(): Promise<void>;
    /** Show something that has no address. */
    interrupt(params: URLSearchParams, shown: Shown): void;
    /** Set the state of the view, for styles and tests. */
    setState(name: string): void;
    /** Set the title of the view that is shown, once it is known. */
    setTitle(title: string): void;
    /** Show and announce a sentence for a few seconds. */
    toast(text: string): void;
    /** Have a screen reader read a text. */
    announce(text: string): void;
    /** An amount for a reader. */
    money(fen: number, signed?: boolean): string;
    /** An amount as one would type it. */
    yuan(fen: number): string;
    setLanguage(code: string): Promise<void>;
    setSound(on: boolean): void;
    session: Session;
}

export interface Session {
    /** intent: id of the envelope to grab as soon as the guest is signed in. */
    signInGuest(token: string, intent?: string | null): void;
    signInTab(token: string): void;
    resumeGuest(): void;
    /** Sign out; a guest, who would lose everything, is asked first. */
    askSignOut(): Promise<void>;
    /** End the session because the API refused its token. */
    end(code: string): void;
    /** The code of the trouble that ended the last session, once, or null. */
    takeTrouble(): string | null;
    /** The id of the envelope to grab after signing in, once, or null. */
    takeIntent(): string | null;
}

export interface PanelOptions {
    /** What the button for another try does. */
    again?: (() => void) | null;
    /** It is tried again without being asked. */
    waiting?: boolean;
    /** Further ways on. */
    actions?: Node[];
    /** Whether the start is a way on. */
    home?: boolean;
    /** What the words are filled in with. */
    detail?: string;
    /** Within a form. */
    compact?: boolean;
}
