// java.net.http as it comes: `java Client.java java KIND=URL ...`; it prints the versions, then for each request
// {"raised": class} or {"status", "body64"}. A request that has not ended long after its timeout hangs.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

class Client {
    static final long PATIENCE = (long) (1000 * Double.parseDouble(System.getenv("PATIENCE")));

    public static void main(String[] arguments) throws Exception {
        System.out.printf("{\"versions\": [\"JDK %s\"]}%n", System.getProperty("java.version"));
        HttpClient client = HttpClient.newBuilder().connectTimeout(Duration.ofMillis(PATIENCE)).build();
        for (int n = 1; n < arguments.length; n++) {
            String[] pair = arguments[n].split("=", 2);
            System.out.println(outcome(client, System.getenv("BODY_" + pair[0].toUpperCase()), pair[1]));
        }
        System.exit(0);
    }

    static String outcome(HttpClient client, String body, String url) throws InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/v1/chat/completions"))
            .timeout(Duration.ofMillis(PATIENCE))
            .header("Content-Type", "application/json").header("Authorization", "Bearer sk-free-1")
            .POST(HttpRequest.BodyPublishers.ofString(body)).build();
        var answer = client.sendAsync(request, HttpResponse.BodyHandlers.ofByteArray());
        try {
            HttpResponse<byte[]> took = answer.get(3 * PATIENCE, TimeUnit.MILLISECONDS);
            String bytes = Base64.getEncoder().encodeToString(took.body());
            return "{\"status\": %d, \"body64\": \"%s\"}".formatted(took.statusCode(), bytes);
        } catch (ExecutionException error) {
            return "{\"raised\": \"%s\"}".formatted(error.getCause().getClass().getName());
        } catch (TimeoutException error) {
            answer.cancel(true);
            return "{\"raised\": \"hangs\"}";
        }
    }
}
