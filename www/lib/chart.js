// @ts-check
/* Numbers for drawings: what a chart shows, in units of its box. The views turn them into SVG. */

/* Bars for the draws, by seq, in a box of width x height: {bars: [{seq, x, y, width, height}], mean}.
 * mean: the height at which an equal share would end. Bars leave a gap where there is room. */
export function drawBars(claims, {total, shares, width, height}) {
    const step = width / Math.max(shares, 1);
    const gap = step > 4 ? step / 4 : 0;
    const mean = total / shares;
    const top = claims.reduce((most, claim) => Math.max(most, claim.amount), mean);
    const scale = height / top;
    const bars = claims.map(({seq, amount}) => {
        const tall = Math.max(1, amount * scale);
        return {seq, x: (seq - 1) * step + gap / 2, y: height - tall, width: step - gap, height: tall};
    });
    return {bars, mean: height - mean * scale};
}

/* Upper edges of the latency classes, in milliseconds. */
export const LATENCY_EDGES_MS = [2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/* How many of the latencies lie in each class: [{from, to, count}], to null for the open last one.
 * Empty classes outside the ones that occur are left out. */
export function latencyClasses(latenciesMs, edges = LATENCY_EDGES_MS) {
    const classes = [...edges, null].map((to, n) => ({from: n === 0 ? 0 : edges[n - 1], to, count: 0}));
    for (const ms of latenciesMs) {
        const fitting = classes.find(({to}) => to === null || ms < to) ?? classes[classes.length - 1];
        fitting.count++;
    }
    const used = classes.map((c) => c.count > 0);
    return classes.slice(Math.max(0, used.indexOf(true)), used.lastIndexOf(true) + 1);
}

/* The value below which the fraction p of the numbers lies (nearest rank), or null without numbers. */
export function quantile(numbers, p) {
    const sorted = [...numbers].sort((a, b) => a - b);
    return sorted.length === 0 ? null : sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)];
}
