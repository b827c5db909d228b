import java.nio.file.Path;
import java.util.Map;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/**
 * One Elasticsearch node: arguments are its home (config, modules, plugins), its own folder (data, logs) and its port
 * (0-0: any, then written to logs/http.ports). It ends when its standard input does, so it never outlives its parent.
 */
public class ElasticsearchNode {
  private static final String NAME = "node-1";

  public static void main(String[] arguments) throws Exception {
    LogConfigurator.setNodeName(NAME);
    LogConfigurator.registerErrorListener();
    Environment environment = environment(arguments[0], arguments[1], arguments[2]);
    LogConfigurator.configure(environment, true);
    PluginsLoader plugins = PluginsLoader.createPluginsLoader(
        PluginsLoader.loadModulesBundles(environment.modulesDir()),
        PluginsLoader.loadPluginsBundles(environment.pluginsDir()),
        Map.of(), false);
    new Node(environment, plugins).start();
    while (System.in.read() != -1) { }
    Runtime.getRuntime().halt(0);
  }

  private static Environment environment(String home, String own, String port) {
    Settings settings = Settings.builder()
        .put("path.home", home)
        .put("path.data", own + "/data")
        .put("path.logs", own + "/logs")
        .put("node.name", NAME)
        .put("node.portsfile", true)
        .put("discovery.type", "single-node")
        .put("network.host", "127.0.0.1")
        .put("http.port", port)
        .put("transport.port", "0-0")
        .put("cluster.routing.allocation.disk.threshold_enabled", false)
        .build();
    return InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), Path.of(home, "config"), () -> NAME);
  }
}
