// Eclipse LSP4J: headers, ids that are strings of digits.

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.eclipse.lsp4j.jsonrpc.Launcher;
import org.eclipse.lsp4j.jsonrpc.ResponseErrorException;
import org.eclipse.lsp4j.jsonrpc.services.JsonNotification;
import org.eclipse.lsp4j.jsonrpc.services.JsonRequest;

public class Lsp4j {
    static final int CALLS = 100;

    public static class Progress {
        volatile int done;

        @JsonNotification("$/progress")
        public void progress(JsonObject params) {
            done = params.get("done").getAsInt();
        }
    }

    public interface Worker {
        @JsonRequest("identity.get")
        CompletableFuture<JsonObject> identity();

        @JsonRequest("no.such.method")
        CompletableFuture<JsonObject> unknown();

        @JsonRequest("plex.request")
        CompletableFuture<JsonObject> request(Map<String, Object> params);

        @JsonNotification("$/cancelRequest")
        void cancel(Map<String, Object> params);
    }

    static String text(int n) {
        return n + " Amélie 映画 🎬\u2028";
    }

    static int code(CompletableFuture<?> call) throws InterruptedException {
        try {
            call.get();
            return 0;
        } catch (ExecutionException error) {
            return ((ResponseErrorException) error.getCause()).getResponseError().getCode();
        }
    }

    public static void main(String[] args) throws Exception {
        Process program = new ProcessBuilder(System.getenv("PLEXSYNC_WORKER"))
            .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        Progress progress = new Progress();
        Launcher<Worker> launcher = new Launcher.Builder<Worker>()
            .setLocalService(progress).setRemoteInterface(Worker.class)
            .setInput(program.getInputStream()).setOutput(program.getOutputStream()).create();
        var listening = launcher.startListening();
        Worker worker = launcher.getRemoteProxy();

        JsonObject identity = worker.identity().get();
        int unknown = code(worker.unknown());
        List<CompletableFuture<JsonObject>> calls = new ArrayList<>();
        for (int n = 0; n < CALLS; n++) {
            calls.add(worker.request(Map.of("path", "/text/" + n, "query", Map.of("text", text(n)))));
        }
        int answered = 0;
        for (int n = 0; n < CALLS; n++) {
            JsonObject body = calls.get(n).get().getAsJsonObject("body");
            answered += text(n).equals(body.get("text").getAsString()) ? 1 : 0;
        }
        worker.request(Map.of("path", "/library/sections/1/all", "all_pages", true, "progress_token", "news")).get();
        // By hand: the library's own way looks at no answer to a call that it has cancelled. It counts its calls.
        CompletableFuture<JsonObject> slow = worker.request(Map.of("path", "/slow"));
        worker.cancel(Map.of("id", String.valueOf(CALLS + 4)));
        int cancelled = code(slow);
        program.getOutputStream().close();
        int exit = program.waitFor();
        listening.get();
        System.out.println(new Gson().toJson(Map.of(
            "version", Launcher.class.getProtectionDomain().getCodeSource().getLocation().getPath()
                .replaceAll(".*-(.*)\\.jar", "$1"),
            "device_id", identity.get("device_id"),
            "unknown", unknown,
            "answered", answered,
            "progress", progress.done,
            "cancelled", cancelled,
            "exit", exit)));
        System.exit(0);
    }
}
