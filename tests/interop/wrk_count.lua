-- A script for wrk: so many requests over all connections and no more, and a line for each answer.
--
--     wrk --threads 1 … --script wrk_count.lua URL -- COUNT PAUSE
--
-- COUNT: requests. PAUSE: the milliseconds that a connection waits between two of its requests.
-- Each answer is a line "answer STATUS REQUEST-ID"; the last line, "summary REQUESTS REFUSED FAILED MICROSECONDS",
-- has wrk's own counts: answers, answers with a status above 399, failures of sockets, and how long the run took.

local FOR_EVER = 3600 * 1000  -- milliseconds: a connection that has nothing left to send waits until wrk ends

function init(arguments)
    left, pause = tonumber(arguments[1]), tonumber(arguments[2])
    io.stdout:setvbuf("line")  -- who reads the lines counts them while wrk runs
end

function delay()
    if left == 0 then
        return FOR_EVER
    end
    left = left - 1
    return pause
end

function response(status, headers, body)
    local request_id = "none"
    for name, value in pairs(headers) do
        if name:lower() == "x-amzn-requestid" then
            request_id = value
        end
    end
    io.write(string.format("answer %d %s\n", status, request_id))
end

function done(summary, latency, requests)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.timeout
    io.write(
        string.format("summary %d %d %d %d\n", summary.requests, errors.status, failed, summary.duration)
    )
end
