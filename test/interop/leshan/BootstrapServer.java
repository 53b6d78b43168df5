import java.net.InetSocketAddress;
import java.util.EnumSet;
import java.util.List;
import org.eclipse.leshan.core.SecurityMode;
import org.eclipse.leshan.core.endpoint.Protocol;
import org.eclipse.leshan.core.peer.LwM2mPeer;
import org.eclipse.leshan.core.request.BindingMode;
import org.eclipse.leshan.core.request.BootstrapDownlinkRequest;
import org.eclipse.leshan.core.request.BootstrapRequest;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.server.bootstrap.BootstrapConfig;
import org.eclipse.leshan.server.bootstrap.BootstrapFailureCause;
import org.eclipse.leshan.server.bootstrap.BootstrapSession;
import org.eclipse.leshan.server.bootstrap.BootstrapSessionListener;
import org.eclipse.leshan.server.bootstrap.LeshanBootstrapServer;
import org.eclipse.leshan.server.bootstrap.LeshanBootstrapServerBuilder;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.CaliforniumBootstrapServerEndpointsProvider;
import org.eclipse.leshan.server.californium.bootstrap.endpoint.coap.CoapBootstrapServerProtocolProvider;

/**
 * Leshan's bootstrap server library: every client gets one server, in the instances that Leshan chooses, after all
 * others were deleted. Arguments: COAP-PORT SERVER-URI SHORT-SERVER-ID LIFETIME-S [CONTENT-FORMAT]. Each event is a
 * line on standard output.
 */
public class BootstrapServer {
    public static void main(String[] args) {
        BootstrapConfig config = config(args);
        var coap = new CaliforniumBootstrapServerEndpointsProvider.Builder(new CoapBootstrapServerProtocolProvider());
        coap.addEndpoint(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), Protocol.COAP);
        LeshanBootstrapServerBuilder builder = new LeshanBootstrapServerBuilder();
        builder.setEndpointsProviders(coap.build());
        builder.setConfigStore(session -> config);
        LeshanBootstrapServer server = builder.build();
        server.addListener(new Printer());
        server.start();
        System.out.println("started");
    }

    private static BootstrapConfig config(String[] args) {
        var security = new BootstrapConfig.ServerSecurity();
        security.uri = args[1];
        security.serverId = Integer.parseInt(args[2]);
        security.securityMode = SecurityMode.NO_SEC;
        var account = new BootstrapConfig.ServerConfig();
        account.shortId = security.serverId;
        account.lifetime = Integer.parseInt(args[3]);
        account.binding = EnumSet.of(BindingMode.U);
        BootstrapConfig config = new BootstrapConfig();
        config.autoIdForSecurityObject = true;
        config.toDelete = List.of("/0", "/1");
        config.security.put(0, security);
        config.servers.put(0, account);
        if (args.length > 4) config.contentFormat = ContentFormat.fromName(args[4]);
        return config;
    }

    private static class Printer implements BootstrapSessionListener {
        @Override
        public void sessionInitiated(BootstrapRequest request, LwM2mPeer client) {
            System.out.println("initiated " + request.getEndpointName() + " " + request.getPreferredContentFormat());
        }

        @Override
        public void unAuthorized(BootstrapRequest request, LwM2mPeer client) {
            System.out.println("unauthorized " + request.getEndpointName());
        }

        @Override
        public void authorized(BootstrapSession session) {}

        @Override
        public void noConfig(BootstrapSession session) {
            System.out.println("no configuration");
        }

        @Override
        public void sendRequest(BootstrapSession session, BootstrapDownlinkRequest<? extends LwM2mResponse> request) {}

        @Override
        public void onResponseSuccess(BootstrapSession session,
                BootstrapDownlinkRequest<? extends LwM2mResponse> request, LwM2mResponse response) {
            print(request, response.getCode());
        }

        @Override
        public void onResponseError(BootstrapSession session,
                BootstrapDownlinkRequest<? extends LwM2mResponse> request, LwM2mResponse response) {
            print(request, response.getCode() + " " + response.getErrorMessage());
        }

        @Override
        public void onRequestFailure(BootstrapSession session,
                BootstrapDownlinkRequest<? extends LwM2mResponse> request, Throwable cause) {
            print(request, cause);
        }

        @Override
        public void end(BootstrapSession session) {
            System.out.println("finished " + session.getEndpoint());
        }

        @Override
        public void failed(BootstrapSession session, BootstrapFailureCause cause) {
            System.out.println("failed " + cause);
        }

        private static void print(BootstrapDownlinkRequest<? extends LwM2mResponse> request, Object result) {
            System.out.println(request.getClass().getSimpleName() + " " + request.getPath() + " " + result);
        }
    }
}
