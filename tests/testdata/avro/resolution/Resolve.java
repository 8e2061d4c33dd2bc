import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.Encoder;
import org.apache.avro.io.EncoderFactory;

/**
 * What Apache Avro for Java reads: lines of a writer schema, a reader schema and a body in hexadecimal, parted by tabs, to
 * lines of Avro's JSON encoding, or "!" and why not. generate.py runs it.
 */
public class Resolve {
    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] columns = line.split("\t", -1);
            String outcome;
            try {
                Schema writer = new Schema.Parser().parse(columns[0]);
                Schema reader = new Schema.Parser().parse(columns[1]);
                outcome = read(writer, reader, HexFormat.of().parseHex(columns[2]));
            } catch (Exception error) {
                outcome = "!" + String.valueOf(error.getMessage()).replaceAll("\\s+", " ");
            }
            System.out.println(outcome);
        }
    }

    private static String read(Schema writer, Schema reader, byte[] body) throws Exception {
        BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(body, null);
        Object value = new GenericDatumReader<>(writer, reader).read(null, decoder);
        if (!decoder.isEnd()) {
            throw new IllegalStateException("bytes are left");
        }
        ByteArrayOutputStream json = new ByteArrayOutputStream();
        Encoder encoder = EncoderFactory.get().jsonEncoder(reader, json, false);
        new GenericDatumWriter<>(reader).write(value, encoder);
        encoder.flush();
        return json.toString(StandardCharsets.UTF_8);
    }
}
