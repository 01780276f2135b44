/* The size of a batch. The burst that the server accepts, the jobs that a service runs together,
 * the rows that the store takes and the writes of one cache round trip all use this number. */
#ifndef HONGBAO_BASE_BATCH_MAX_H
#define HONGBAO_BASE_BATCH_MAX_H

#define BATCH_MAX 64

#endif
