/* HTTP load client for loopback. It must be cheap, since it shares the processors with the measured
 * programs: requests are prepared in a file (load_plan.h). The result is one line of
 * JSON. load --port N --plan FILE [--seconds S] [--connections N] [--threads N] [--rate R]
 *        [--skip N] [--cycle] [--retry] [--grace S] [--series] */
#include "tests/bench/load_worker.h"
#include <getopt.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define THREADS_MAX 16
#define CONNECTIONS_MAX 8192
#define SECONDS_MAX 100000
#define NS_PER_S 1000000000.0
#define CONNECT_NS 300000000 /* time to connect before all threads start at once */

struct options {
    const char *plan;
    double seconds, grace_s;
    unsigned connections;
    bool series;
};

static void usage(void)
{
    fputs("Usage: load --port N --plan FILE [OPTION]...\n"
          "  --seconds S      begin requests for so long (default 1; 0: until the plan is done)\n"
          "  --connections N  kept open (default 128)\n"
          "  --threads N      share the connections (default 1)\n"
          "  --rate R         open loop: R requests a second, latency from the scheduled moment\n"
          "  --skip N         begin after the first N requests of the plan\n"
          "  --cycle          begin the plan again at its end\n"
          "  --retry          repeat a request whose answer says Retry-After, after that time\n"
          "  --grace S        wait so long for the last answers (default 10)\n"
          "  --series         count also by tenths of a second\n",
          stderr);
}

static bool read_options(int argc, char **argv, struct load *load, struct options *o)
{
    static const struct option names[] = {
        {"port", required_argument, NULL, 'p'},    {"plan", required_argument, NULL, 'f'},
        {"seconds", required_argument, NULL, 's'}, {"connections", required_argument, NULL, 'c'},
        {"threads", required_argument, NULL, 't'}, {"rate", required_argument, NULL, 'r'},
        {"skip", required_argument, NULL, 'k'},    {"cycle", no_argument, NULL, 'y'},
        {"retry", no_argument, NULL, 'a'},         {"grace", required_argument, NULL, 'g'},
        {"series", no_argument, NULL, 'e'},        {NULL, 0, NULL, 0}};
    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (c) {
        case 'p':
            load->port = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'f':
            o->plan = optarg;
            break;
        case 's':
            o->seconds = strtod(optarg, NULL);
            break;
        case 'c':
            o->connections = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 't':
            load->threads = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'r':
            load->rate = strtod(optarg, NULL);
            break;
        case 'k':
            load->plan.next = strtoul(optarg, NULL, 10);
            break;
        case 'y':
            load->plan.cycle = true;
            break;
        case 'a':
            load->retry = true;
            break;
        case 'g':
            o->grace_s = strtod(optarg, NULL);
            break;
        case 'e':
            o->series = true;
            break;
        default:
            return false;
        }
    }
    return optind == argc && o->plan != NULL && load->port > 0 && load->port < 65536 &&
           load->threads >= 1 && load->threads <= THREADS_MAX && o->connections >= load->threads &&
           o->connections <= CONNECTIONS_MAX && o->seconds >= 0 && o->seconds < SECONDS_MAX &&
           load->rate >= 0 && !(o->seconds == 0 && load->plan.cycle);
}

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* Add the results of all workers to the first. */
static void sum_up(struct worker *workers, unsigned n)
{
    for (unsigned i = 1; i < n; i++) {
        tally_merge(&workers[0].tally, &workers[i].tally);
        workers[0].begun += workers[i].begun;
        workers[0].retried += workers[i].retried;
        workers[0].lost += workers[i].lost;
        workers[0].unanswered += workers[i].unanswered;
    }
}

/* The rate counts answers before the end of the run. If the plan ran out, it counts all answers,
 * over the time until the last one. */
static void print(const struct load *load, const struct options *o, const struct worker *w)
{
    bool ran_out = plan_ran_out(&load->plan);
    double elapsed = ran_out ? (double)tally_last_ns(&w->tally) / NS_PER_S : o->seconds;
    if (!ran_out || elapsed > o->seconds)
        elapsed = o->seconds > 0 ? o->seconds : elapsed;
    printf("{\"start_s\": %.3f, \"seconds\": %.3f, \"rate\": %.1f, \"begun\": %llu, \"retried\": "
           "%llu, "
           "\"lost\": %llu, \"unanswered\": %llu, \"ran_out\": %s, \"connections\": %u, "
           "\"threads\": %u, \"cpu_s\": %.3f, \"other\": %llu, \"answers\": {",
           (double)load->start_ns / NS_PER_S, elapsed,
           elapsed > 0 ? (double)tally_in_time(&w->tally) / elapsed : 0.0,
           (unsigned long long)w->begun, (unsigned long long)w->retried,
           (unsigned long long)w->lost, (unsigned long long)w->unanswered,
           ran_out ? "true" : "false", o->connections, load->threads, cpu_seconds(),
           (unsigned long long)w->tally.overflow);
    tally_print(&w->tally, o->series, stdout);
    printf("}}\n");
}

static bool run(struct load *load, const struct options *o, struct worker *workers)
{
    pthread_t threads[THREADS_MAX];
    unsigned started = 0;
    double seconds = o->seconds > 0 ? o->seconds : SECONDS_MAX;
    load->start_ns = load_now_ns() + CONNECT_NS;
    load->end_ns = load->start_ns + (int64_t)(seconds * NS_PER_S);
    load->grace_ns = (int64_t)(o->grace_s * NS_PER_S);
    for (; started < load->threads; started++) {
        unsigned share = o->connections / load->threads;
        workers[started] = (struct worker){
            .load = load,
            .number = started,
            .connections = share + (started < o->connections % load->threads ? 1 : 0)};
        if (pthread_create(&threads[started], NULL, worker_run, &workers[started]) != 0)
            break;
    }
    bool good = started == load->threads;
    for (unsigned i = 0; i < started; i++) {
        pthread_join(threads[i], NULL);
        good = good && !workers[i].failed;
    }
    return good;
}

int main(int argc, char **argv)
{
    static struct load load = {.threads = 1};
    static struct worker workers[THREADS_MAX];
    struct options o = {.seconds = 1, .grace_s = 10, .connections = 128};
    if (!read_options(argc, argv, &load, &o)) {
        usage();
        return 2;
    }
    prctl(PR_SET_TIMERSLACK, 1UL);
    if (!plan_read(&load.plan, o.plan) || !run(&load, &o, workers))
        return 1;
    sum_up(workers, load.threads);
    print(&load, &o, &workers[0]);
    return 0;
}
