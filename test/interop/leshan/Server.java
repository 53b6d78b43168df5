import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.zip.ZipFile;
import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.core.link.Link;
import org.eclipse.leshan.core.link.attributes.Attribute;
import org.eclipse.leshan.core.link.lwm2m.attributes.DefaultLwM2mAttributeParser;
import org.eclipse.leshan.core.link.lwm2m.attributes.LwM2mAttributeSet;
import org.eclipse.leshan.core.model.ObjectLoader;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.model.ResourceModel;
import org.eclipse.leshan.core.node.LwM2mChildNode;
import org.eclipse.leshan.core.node.LwM2mNode;
import org.eclipse.leshan.core.node.LwM2mMultipleResource;
import org.eclipse.leshan.core.node.LwM2mObject;
import org.eclipse.leshan.core.node.LwM2mObjectInstance;
import org.eclipse.leshan.core.node.LwM2mPath;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.node.LwM2mResourceInstance;
import org.eclipse.leshan.core.node.LwM2mSingleResource;
import org.eclipse.leshan.core.node.TimestampedLwM2mNode;
import org.eclipse.leshan.core.node.TimestampedLwM2mNodes;
import org.eclipse.leshan.core.observation.CompositeObservation;
import org.eclipse.leshan.core.observation.Observation;
import org.eclipse.leshan.core.observation.SingleObservation;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.request.CreateRequest;
import org.eclipse.leshan.core.request.DeleteRequest;
import org.eclipse.leshan.core.request.DiscoverRequest;
import org.eclipse.leshan.core.request.DownlinkDeviceManagementRequest;
import org.eclipse.leshan.core.request.ExecuteRequest;
import org.eclipse.leshan.core.request.ObserveCompositeRequest;
import org.eclipse.leshan.core.request.ObserveRequest;
import org.eclipse.leshan.core.request.ReadCompositeRequest;
import org.eclipse.leshan.core.request.ReadRequest;
import org.eclipse.leshan.core.request.SendRequest;
import org.eclipse.leshan.core.request.WriteAttributesRequest;
import org.eclipse.leshan.core.request.WriteCompositeRequest;
import org.eclipse.leshan.core.request.WriteRequest;
import org.eclipse.leshan.core.response.CreateResponse;
import org.eclipse.leshan.core.response.DiscoverResponse;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.core.response.ObserveCompositeResponse;
import org.eclipse.leshan.core.response.ObserveResponse;
import org.eclipse.leshan.core.response.ReadCompositeResponse;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.server.LeshanServer;
import org.eclipse.leshan.server.LeshanServerBuilder;
import org.eclipse.leshan.server.model.VersionedModelProvider;
import org.eclipse.leshan.server.observation.ObservationListener;
import org.eclipse.leshan.server.registration.Registration;
import org.eclipse.leshan.server.registration.RegistrationListener;
import org.eclipse.leshan.server.registration.RegistrationUpdate;
import org.eclipse.leshan.server.send.SendListener;
import org.eclipse.leshan.transport.californium.server.endpoint.CaliforniumServerEndpointsProvider;
import org.eclipse.leshan.transport.californium.server.endpoint.coap.CoapServerProtocolProvider;

/**
 * Leshan's server library with the routes of Leshan's demo server in front of it, as far as the tests use them, and the
 * time of every value among its events. Arguments: COAP-PORT WEB-PORT JAR, a jar with OMA's object models in models/.
 */
public class Server {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String CLIENTS = "/api/clients";

    private final LeshanServer server;
    private final Events events = new Events();

    public static void main(String[] args) throws Exception {
        new Server(Integer.parseInt(args[0]), models(args[2])).start(Integer.parseInt(args[1]));
    }

    private static List<ObjectModel> models(String jar) throws Exception {
        List<ObjectModel> models = new ArrayList<>(ObjectLoader.loadAllDefault());
        try (ZipFile zip = new ZipFile(new File(jar))) {
            for (var entry : zip.stream().filter(e -> e.getName().matches("models/(3[234]\\d\\d|16).*\\.xml")).toList()) {
                models.addAll(ObjectLoader.loadDdfFile(zip.getInputStream(entry), entry.getName()));
            }
        }
        return models;
    }

    private Server(int coapPort, List<ObjectModel> models) {
        var coap = new CaliforniumServerEndpointsProvider.Builder(new CoapServerProtocolProvider());
        coap.addEndpoint(new InetSocketAddress("127.0.0.1", coapPort), Protocol.COAP);
        LeshanServerBuilder builder = new LeshanServerBuilder().setEndpointsProviders(coap.build());
        builder.setObjectModelProvider(new VersionedModelProvider(models));
        server = builder.build();
        server.getRegistrationService().addListener(events);
        server.getObservationService().addListener(events);
        server.getSendService().addListener(events);
    }

    private void start(int webPort) throws IOException {
        server.start();
        HttpServer web = HttpServer.create(new InetSocketAddress("127.0.0.1", webPort), 0);
        web.setExecutor(Executors.newCachedThreadPool());
        web.createContext("/event", events::subscribe);
        web.createContext(CLIENTS, this::handle);
        web.start();
    }

    private void handle(HttpExchange exchange) throws IOException {
        String status = "200";
        Object answer;
        try {
            answer = answer(exchange);
        } catch (Exception error) {
            status = "400";
            answer = Map.of("error", error.toString());
        }
        byte[] body = JSON.writeValueAsBytes(answer);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(Integer.parseInt(status), body.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body);
        }
    }

    private Object answer(HttpExchange exchange) throws Exception {
        List<String> segments = segments(exchange.getRequestURI().getPath().substring(CLIENTS.length()));
        if (segments.isEmpty()) {
            List<Object> all = new ArrayList<>();
            server.getRegistrationService().getAllRegistrations().forEachRemaining(r -> all.add(json(r)));
            return all;
        }
        Registration client = server.getRegistrationService().getByEndpoint(segments.get(0));
        if (client == null) throw new IllegalArgumentException("no such client");
        if (segments.size() == 1) return json(client);
        String last = segments.get(segments.size() - 1);
        boolean isVerb = !last.matches("\\d+");
        String path = "/" + String.join("/", segments.subList(1, segments.size() - (isVerb ? 1 : 0)));
        String verb = exchange.getRequestMethod() + (isVerb ? " " + last : "");
        if (verb.equals("DELETE observe")) {
            return server.getObservationService().cancelObservations(client, path);
        }
        String query = exchange.getRequestURI().getQuery();
        ContentFormat format = query != null && query.startsWith("format=")
                ? ContentFormat.fromName(query.substring("format=".length()))
                : null;
        byte[] body = exchange.getRequestBody().readAllBytes();
        return json(server.send(client, request(verb, path, query, format, body, client), 10_000));
    }

    private DownlinkDeviceManagementRequest<?> request(String verb, String path, String query, ContentFormat format,
            byte[] body, Registration client) throws Exception {
        switch (verb) {
        case "GET":
            return new ReadRequest(format, path);
        case "GET discover":
            return new DiscoverRequest(path);
        case "POST observe":
            return new ObserveRequest(format, path);
        case "PUT attributes":
            var attributes = new DefaultLwM2mAttributeParser().parseUriQuery(query);
            return new WriteAttributesRequest(path, new LwM2mAttributeSet(attributes));
        case "PUT":
            LwM2mNode node = resource(new LwM2mPath(path), JSON.readTree(body), client);
            return new WriteRequest(WriteRequest.Mode.REPLACE, format, path, node);
        case "GET composite":
            return new ReadCompositeRequest(ContentFormat.SENML_CBOR, ContentFormat.SENML_CBOR, paths(query));
        case "POST composite":
            return new ObserveCompositeRequest(ContentFormat.SENML_CBOR, ContentFormat.SENML_CBOR, paths(query));
        case "PUT composite":
            Map<String, Object> values = JSON.convertValue(JSON.readTree(body), new TypeReference<>() {});
            return new WriteCompositeRequest(ContentFormat.SENML_CBOR, values);
        case "POST":
            if (new LwM2mPath(path).isResource()) return new ExecuteRequest(path);
            return new CreateRequest(format, path, instance(new LwM2mPath(path), JSON.readTree(body), client));
        case "DELETE":
            return new DeleteRequest(path);
        default:
            throw new IllegalArgumentException(verb);
        }
    }

    private static String[] paths(String query) {
        return query.substring("paths=".length()).split(",");
    }

    private LwM2mObjectInstance instance(LwM2mPath object, JsonNode json, Registration client) {
        List<LwM2mResource> resources = new ArrayList<>();
        for (JsonNode resource : json.get("resources")) {
            resources.add(resource(new LwM2mPath(object.getObjectId(), 0, resource.get("id").intValue()), resource, client));
        }
        return new LwM2mObjectInstance(json.get("id").intValue(), resources);
    }

    private LwM2mResource resource(LwM2mPath path, JsonNode json, Registration client) {
        int id = path.getResourceId();
        ResourceModel model = server.getModelProvider().getObjectModel(client).getResourceModel(path.getObjectId(), id);
        if (json.has("values")) {
            Map<Integer, Object> values = JSON.convertValue(json.get("values"), new TypeReference<>() {});
            return LwM2mMultipleResource.newResource(id, values, model.type);
        }
        JsonNode value = json.get("value");
        return switch (model.type) {
            case BOOLEAN -> LwM2mSingleResource.newBooleanResource(id, value.booleanValue());
            case FLOAT -> LwM2mSingleResource.newFloatResource(id, value.doubleValue());
            case INTEGER -> LwM2mSingleResource.newIntegerResource(id, value.longValue());
            case STRING -> LwM2mSingleResource.newStringResource(id, value.textValue());
            default -> throw new IllegalArgumentException("no writes of type " + model.type);
        };
    }

    private static List<String> segments(String path) {
        return Arrays.stream(path.split("/")).filter(segment -> !segment.isEmpty()).toList();
    }

    private static Object json(Registration client) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("endpoint", client.getEndpoint());
        json.put("registrationId", client.getId());
        json.put("lwM2mVersion", client.getLwM2mVersion().toString());
        json.put("lifetime", client.getLifeTimeInSec());
        json.put("objectLinks", json(client.getObjectLinks()));
        return json;
    }

    private static List<Object> json(Link[] links) {
        List<Object> all = new ArrayList<>();
        for (Link link : links) {
            Map<String, Object> attributes = new LinkedHashMap<>();
            for (Attribute attribute : link.getAttributes()) {
                attributes.put(attribute.getName(), attribute.getCoreLinkValue());
            }
            all.add(Map.of("url", link.getUriReference(), "attributes", attributes));
        }
        return all;
    }

    private static Object json(LwM2mResponse response) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("status", response == null ? "TIMEOUT" : response.getCode().toString());
        json.put("success", response != null && response.isSuccess());
        if (response != null && response.isFailure()) json.put("errormessage", response.getErrorMessage());
        if (response instanceof ReadResponse read && read.isSuccess()) json.put("content", json(read.getContent()));
        if (response instanceof ReadCompositeResponse read && read.isSuccess()) json.put("content", values(read));
        if (response instanceof CreateResponse made && made.isSuccess()) json.put("location", made.getLocation());
        if (response instanceof DiscoverResponse found && found.isSuccess()) {
            json.put("objectLinks", json(found.getObjectLinks()));
        }
        return json;
    }

    /** By path. */
    private static Map<String, Object> values(ReadCompositeResponse response) {
        Map<String, Object> values = new LinkedHashMap<>();
        response.getContent().forEach((path, node) -> {
            if (node != null) values.put(path.toString(), node instanceof LwM2mChildNode child ? json(child) : "");
        });
        return values;
    }

    private static Object json(LwM2mChildNode node) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("id", node.getId());
        if (node instanceof LwM2mObject object) {
            json.put("instances", object.getInstances().values().stream().map(Server::json).toList());
        } else if (node instanceof LwM2mObjectInstance instance) {
            json.put("resources", instance.getResources().values().stream().map(Server::json).toList());
        } else {
            json.put("value", value(node));
        }
        return json;
    }

    private static Object value(LwM2mNode node) {
        Object value = node instanceof LwM2mResource resource
                ? resource.isMultiInstances() ? resource.getInstances().toString() : resource.getValue()
                : ((LwM2mResourceInstance) node).getValue();
        if (value instanceof Date date) return date.toInstant().toString();
        return value instanceof Number || value instanceof Boolean ? value : String.valueOf(value);
    }

    /** Everything that happens, as server-sent events. */
    private static class Events implements RegistrationListener, ObservationListener, SendListener {
        private final List<OutputStream> subscribers = new CopyOnWriteArrayList<>();

        void subscribe(HttpExchange exchange) throws IOException {
            exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
            exchange.sendResponseHeaders(200, 0);
            OutputStream out = exchange.getResponseBody();
            out.write(":\n\n".getBytes(StandardCharsets.UTF_8));
            out.flush();
            subscribers.add(out);
        }

        private synchronized void tell(String event, Object data) {
            for (OutputStream out : subscribers) {
                try {
                    String json = JSON.writeValueAsString(data);
                    out.write(("event: " + event + "\ndata: " + json + "\n\n").getBytes(StandardCharsets.UTF_8));
                    out.flush();
                } catch (IOException gone) {
                    subscribers.remove(out);
                }
            }
        }

        @Override
        public void registered(Registration client, Registration before, Collection<Observation> ended) {
            tell("REGISTRATION", json(client));
        }

        @Override
        public void updated(RegistrationUpdate update, Registration client, Registration before) {
            tell("UPDATED", json(client));
        }

        @Override
        public void unregistered(Registration client, Collection<Observation> ended, boolean expired, Registration next) {
            if (next == null) tell("DEREGISTRATION", Map.of("endpoint", client.getEndpoint(), "expired", expired));
        }

        @Override
        public void onResponse(SingleObservation observation, Registration client, ObserveResponse response) {
            var data = Map.of("ep", client.getEndpoint(), "res", observation.getPath().toString(), "val",
                    json(response.getContent()), "history", history(response));
            tell("NOTIFICATION", data);
        }

        /** The values of a single resource that have times of their own. */
        private static List<Object> history(ObserveResponse response) {
            List<Object> values = new ArrayList<>();
            if (response.getTimestampedLwM2mNodes() == null) return values;
            for (TimestampedLwM2mNode at : response.getTimestampedLwM2mNodes()) {
                if (at.getTimestamp() == null || !(at.getNode() instanceof LwM2mSingleResource resource)) continue;
                values.add(Map.of("atMs", at.getTimestamp().toEpochMilli(), "value", resource.getValue()));
            }
            return values;
        }

        @Override
        public void dataReceived(Registration client, TimestampedLwM2mNodes data, SendRequest request) {
            List<Object> values = new ArrayList<>();
            for (Instant at : data.getTimestamps()) {
                data.getNodesAt(at).forEach((path, node) -> {
                    Map<String, Object> value = new LinkedHashMap<>();
                    value.put("path", path.toString());
                    value.put("atMs", at == null ? null : at.toEpochMilli());
                    value.put("value", value(node));
                    values.add(value);
                });
            }
            tell("SEND", Map.of("ep", client.getEndpoint(), "val", values));
        }

        private static String causes(Throwable error) {
            return error == null ? "" : error + "\n" + causes(error.getCause());
        }

        @Override
        public void onResponse(CompositeObservation observation, Registration client, ObserveCompositeResponse response) {
            tell("COMPOSITE", Map.of("ep", client.getEndpoint(), "val", values(response)));
        }

        @Override
        public void newObservation(Observation observation, Registration client) {
        }

        @Override
        public void cancelled(Observation observation) {
        }

        @Override
        public void onError(Observation observation, Registration client, Exception error) {
            tell("ERROR", Map.of("what", causes(error)));
        }

        @Override
        public void onError(Registration client, String what, Exception error) {
            tell("ERROR", Map.of("what", causes(error)));
        }
    }
}
