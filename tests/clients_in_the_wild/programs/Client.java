// Java's two standard clients in a loop: `java Client.java http_client|url_connection polite|hammering|gives_up`, as in
// python_clients.py. java.net.http.HttpClient offers `Upgrade: h2c` unless it is told not to.
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Collections;
import java.util.List;

class Client {
    static final List<String> QUESTIONS = List.of(
        "What is the capital of France?", "Write a haiku about snow.", "Translate 'good morning' into Dutch.",
        "Why is the sky blue?", "Name a fruit that floats.");
    static final URI CHAT = URI.create(System.getenv("OPENAI_BASE_URL") + "/chat/completions");
    static final String KEY = "Bearer " + System.getenv("OPENAI_API_KEY");

    record Answer(int status, String retryAfter) {}

    public static void main(String[] args) throws Exception {
        String kind = args[1];
        HttpClient client = HttpClient.newHttpClient();
        for (String text : kind.equals("gives_up") ? QUESTIONS : Collections.nCopies(12, QUESTIONS.get(0))) {
            String body = "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":\"" + text + "\"}]}";
            Answer answer = args[0].equals("http_client") ? ask(client, body) : ask(body);
            if (answer.status == 200) {
                return;
            }
            if (kind.equals("polite")) {
                Thread.sleep(1000 * Integer.parseInt(answer.retryAfter) + 50);
            }
        }
    }

    static Answer ask(HttpClient client, String body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(CHAT)
            .header("Authorization", KEY).header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body)).build();
        HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
        return new Answer(answer.statusCode(), answer.headers().firstValue("Retry-After").orElse("0"));
    }

    static Answer ask(String body) throws Exception {
        HttpURLConnection connection = (HttpURLConnection) CHAT.toURL().openConnection();
        connection.setRequestProperty("Authorization", KEY);
        connection.setRequestProperty("Content-Type", "application/json");
        connection.setDoOutput(true);
        connection.getOutputStream().write(body.getBytes());
        int status = connection.getResponseCode();
        try (InputStream stream = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
            stream.readAllBytes();
        }
        return new Answer(status, connection.getHeaderField("Retry-After"));
    }
}
