/* A client on libmodbus. It reads requests as lines and answers each by a line:
 *   get TABLE ADDRESS KIND          the number that is there
 *   put TABLE ADDRESS KIND NUMBER   done
 * A refusal is "exception CODE"; whatever else goes wrong is "error TEXT".
 */
#include <errno.h>
#include <inttypes.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    char verb[8], table[32], kind[16];
    int address;
    int64_t number;
} Request;

static int is(const char *text, const char *other) { return strcmp(text, other) == 0; }

static int words_of(const Request *request) { return strstr(request->kind, "32") ? 2 : 1; }

static int64_t joined(const Request *request, const uint16_t *words)
{
    if (is(request->kind, "int16"))
        return (int16_t)words[0];
    if (is(request->kind, "int32"))
        return MODBUS_GET_INT32_FROM_INT16(words, 0);
    if (is(request->kind, "uint32"))
        return (uint32_t)MODBUS_GET_INT32_FROM_INT16(words, 0);
    return words[0];
}

/* The number of values read or written, or -1, as libmodbus has it. */
static int get(modbus_t *link, Request *request)
{
    uint8_t bit = 0;
    uint16_t words[2] = {0, 0};
    int done;

    if (is(request->table, "coil"))
        done = modbus_read_bits(link, request->address, 1, &bit);
    else if (is(request->table, "discrete_input"))
        done = modbus_read_input_bits(link, request->address, 1, &bit);
    else if (is(request->table, "input_register"))
        done = modbus_read_input_registers(link, request->address, words_of(request), words);
    else
        done = modbus_read_registers(link, request->address, words_of(request), words);
    request->number = is(request->kind, "bool") ? bit : joined(request, words);
    return done;
}

static int put(modbus_t *link, const Request *request)
{
    uint16_t words[2];

    if (is(request->kind, "bool"))
        return modbus_write_bit(link, request->address, request->number != 0);
    if (words_of(request) == 1)
        return modbus_write_register(link, request->address, (uint16_t)request->number);
    MODBUS_SET_INT32_TO_INT16(words, 0, request->number);
    return modbus_write_registers(link, request->address, 2, words);
}

static void answer(modbus_t *link, Request *request)
{
    int reading = is(request->verb, "get");

    if ((reading ? get(link, request) : put(link, request)) >= 0) {
        if (reading)
            printf("%" PRId64 "\n", request->number);
        else
            puts("done");
    } else if (errno > MODBUS_ENOBASE && errno < MODBUS_ENOBASE + MODBUS_EXCEPTION_MAX) {
        printf("exception %d\n", errno - MODBUS_ENOBASE);
    } else {
        printf("error %s\n", modbus_strerror(errno));
    }
}

int main(int argc, char **argv)
{
    char line[128];
    modbus_t *link = argc == 2 ? modbus_new_tcp("127.0.0.1", atoi(argv[1])) : NULL;

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!link || modbus_set_slave(link, 1) || modbus_set_response_timeout(link, 5, 0) || modbus_connect(link)) {
        printf("error %s\n", modbus_strerror(errno));
        return 1;
    }
    while (fgets(line, sizeof line, stdin)) {
        Request request = {.number = 0};
        int found = sscanf(line, "%7s %31s %d %15s %" SCNd64, request.verb, request.table, &request.address,
                           request.kind, &request.number);
        if (found >= 4)
            answer(link, &request);
        else
            puts("error not a request");
    }
    modbus_close(link);
    modbus_free(link);
    return 0;
}
