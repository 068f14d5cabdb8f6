import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/**
 * Answers questions about the protocol with Apache Kafka's own classes. Run from source, with the kafka-clients jar on
 * the class path.
 *
 * errors: prints "code name retriable" for each error code.
 * echo:   for each line "request|response key version hex" reads the body and prints it written again, in hex.
 */
class KafkaOracle {
  public static void main(String[] arguments) throws Exception {
    if (arguments[0].equals("errors")) {
      for (Errors error : Errors.values()) {
        boolean retriable = error.exception() instanceof org.apache.kafka.common.errors.RetriableException;
        System.out.println(error.code() + " " + error.name() + " " + retriable);
      }
      return;
    }
    var lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      System.out.println(echo(line.split(" ", -1)));
    }
  }

  private static String echo(String[] question) {
    try {
      ApiMessageType type = ApiMessageType.fromApiKey(Short.parseShort(question[1]));
      ApiMessage message = question[0].equals("request") ? type.newRequest() : type.newResponse();
      short version = Short.parseShort(question[2]);
      ByteBuffer body = ByteBuffer.wrap(HexFormat.of().parseHex(question[3]));
      message.read(new ByteBufferAccessor(body), version);
      if (body.hasRemaining()) return "left over: " + body.remaining() + " bytes";
      var cache = new ObjectSerializationCache();
      ByteBuffer written = ByteBuffer.allocate(message.size(cache, version));
      message.write(new ByteBufferAccessor(written), cache, version);
      return HexFormat.of().formatHex(written.array());
    } catch (RuntimeException error) {
      return "refused: " + error;
    }
  }
}
