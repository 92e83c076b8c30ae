import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Runs named cases and prints one {@code CASE} line for each. Every case has its own time limit and
 * the program another, so that a dead broker costs a failed line and never a hang.
 */
final class Report {
    private static final long CASE_LIMIT_MS = 40_000;
    private static final long PROGRAM_LIMIT_MS = 400_000;
    private static final long WAIT_LIMIT_MS = 20_000;
    private static final int REASON_CHARS_MAX = 300;

    private final long startedMs = System.currentTimeMillis();
    private boolean failed;

    Report(String client, String version) {
        System.out.println("VERSION " + client + " " + version);
    }

    interface Body {
        void run() throws Exception;
    }

    /** Runs one case in a daemon thread and prints how it ended. */
    void run(String name, Body body) {
        long began = System.currentTimeMillis();
        long limitMs = Math.min(CASE_LIMIT_MS, startedMs + PROGRAM_LIMIT_MS - began);
        FutureTask<Void> task = new FutureTask<>(() -> {
            body.run();
            return null;
        });
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
        try {
            task.get(Math.max(limitMs, 0), TimeUnit.MILLISECONDS);
            System.out.println("CASE " + name + " ok");
        } catch (TimeoutException | InterruptedException late) {
            fail(name, "time limit");
        } catch (ExecutionException error) {
            error.getCause().printStackTrace();
            fail(name, error.getCause().toString());
        }
        System.err.printf("%s: %.1f s%n", name, (System.currentTimeMillis() - began) / 1000.0);
    }

    private void fail(String name, String reason) {
        failed = true;
        String oneLine = reason.replaceAll("\\s+", " ");
        System.out.println("CASE " + name + " fail "
                + oneLine.substring(0, Math.min(oneLine.length(), REASON_CHARS_MAX)));
    }

    /** Ends the process at once: threads of timed-out cases must not keep it alive. */
    void finish() {
        System.out.flush();
        Runtime.getRuntime().halt(failed ? 1 : 0);
    }

    static void check(boolean holds, String promise) {
        if (!holds) {
            throw new AssertionError(promise);
        }
    }

    static void checkEqual(Object found, Object wanted, String what) {
        check(wanted.equals(found), what + ": found " + found + ", wanted " + wanted);
    }

    /** Polls a condition until it holds; fails the case after the limit. */
    static void waitUntil(String what, Callable<Boolean> condition) throws Exception {
        long deadline = System.currentTimeMillis() + WAIT_LIMIT_MS;
        while (!condition.call()) {
            check(System.currentTimeMillis() < deadline, "waited in vain: " + what);
            Thread.sleep(20);
        }
    }
}
