// Java's two standard clients: `java Forms.java http_client|url_connection SECONDS`, as program() in clients.py.
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

class Forms {
    static final URI CHAT = URI.create("https://api.openai.com/v1/chat/completions");
    static final String KEY = "Bearer " + System.getenv("OPENAI_API_KEY");
    static final String BODY = "{\"model\":\"gpt-4o\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]}";

    public static void main(String[] args) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        long end = System.nanoTime() + 1_000_000_000L * Long.parseLong(args[1]);
        for (boolean failed = false; System.nanoTime() < end; Thread.sleep(300)) {
            String wrong;
            try {
                int status = args[0].equals("http_client") ? ask(client) : ask();
                wrong = status == 200 ? "" : "status " + status;
            } catch (java.io.IOException error) {
                wrong = error.toString();
            }
            if (wrong.isEmpty() && failed) {
                System.out.println("it works again");
                return;
            }
            if (!wrong.isEmpty()) {
                failed = true;
                System.out.println("FAILED " + wrong);
            }
        }
        System.out.println("it never failed, or never works");
    }

    static int ask(HttpClient client) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(CHAT)
            .header("Authorization", KEY).header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(BODY)).build();
        return client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode();
    }

    static int ask() throws Exception {
        HttpURLConnection connection = (HttpURLConnection) CHAT.toURL().openConnection();
        connection.setRequestProperty("Authorization", KEY);
        connection.setRequestProperty("Content-Type", "application/json");
        connection.setDoOutput(true);
        connection.getOutputStream().write(BODY.getBytes());
        int status = connection.getResponseCode();
        (status < 400 ? connection.getInputStream() : connection.getErrorStream()).readAllBytes();
        return status;
    }
}
