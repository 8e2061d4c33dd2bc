import java.io.BufferedWriter;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.file.CodecFactory;
import org.apache.avro.file.DataFileWriter;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.message.BinaryMessageEncoder;

/**
 * What Apache Avro for Java makes of the schemas and values in schemas.txt: canonical forms, fingerprints, messages in
 * single-object encoding, and container files with each codec. README.md says how it is run.
 */
public class Golden {
    public static void main(String[] args) throws Exception {
        Path here = Path.of(args[0]);
        try (BufferedWriter out = Files.newBufferedWriter(here.resolve("made/java-single-object.txt"))) {
            out.write("# Made by Golden.java with Apache Avro for Java " + version() + ". Columns, parted by tabs: schema,\n");
            out.write("# Parsing Canonical Form, CRC-64-AVRO as a big-endian number, a message in single-object encoding.\n");
            for (String line : Files.readAllLines(here.resolve("schemas.txt"))) {
                if (line.startsWith("#")) {
                    continue;
                }
                String[] columns = line.split("\t");
                Schema schema = new Schema.Parser().parse(columns[0]);
                String form = SchemaNormalization.toParsingForm(schema);
                String fingerprint = String.format("%016x", SchemaNormalization.parsingFingerprint64(schema));
                Object value = value(schema, columns[1]);
                ByteArrayOutputStream message = new ByteArrayOutputStream();
                new BinaryMessageEncoder<Object>(GenericData.get(), schema).encode(value, message);
                String hex = HexFormat.of().formatHex(message.toByteArray());
                out.write(String.join("\t", columns[0], form, fingerprint, hex) + "\n");
            }
        }
        judge(here, "avro-c", "avro-java", "fastavro");
        for (String codec : new String[] {"null", "deflate", "snappy", "bzip2", "xz", "zstandard"}) {
            container(here, "types.avsc", "types.jsonl", "java-types-" + codec, codec);
        }
        container(here, "avro-python/interop.avsc", "interop.jsonl", "java-interop", "null");
    }

    /** What Java makes of the schemas of others, in the order of their lines: canonical form and fingerprint, or "!". */
    private static void judge(Path here, String... folders) throws Exception {
        try (BufferedWriter out = Files.newBufferedWriter(here.resolve("made/java-schemas.txt"))) {
            out.write("# Made by Golden.java with Apache Avro for Java " + version() + ". Columns, parted by tabs: folder and name,\n");
            out.write("# Parsing Canonical Form, CRC-64-AVRO as a big-endian number; or ! alone where it refuses the schema.\n");
            for (String folder : folders) {
                for (String line : Files.readAllLines(here.resolve(folder + "/schemas.jsonl"))) {
                    JsonNode entry = new ObjectMapper().readTree(line);
                    out.write(folder + "/" + entry.get("name").asText() + "\t" + judged(entry) + "\n");
                }
            }
        }
    }

    private static String judged(JsonNode entry) {
        try {
            Schema.Parser parser = new Schema.Parser();
            for (JsonNode reference : entry.get("references")) {
                parser.parse(reference.asText());
            }
            Schema schema = parser.parse(entry.get("schema").asText());
            long fingerprint = SchemaNormalization.parsingFingerprint64(schema);
            return SchemaNormalization.toParsingForm(schema) + String.format("\t%016x", fingerprint);
        } catch (RuntimeException error) {
            return "!";
        }
    }

    /** The rows of a file of JSON lines, in blocks of some rows each. */
    private static void container(Path here, String schemaFile, String rowsFile, String name, String codec)
            throws Exception {
        Schema schema = new Schema.Parser().parse(Files.readString(here.resolve(schemaFile)));
        try (DataFileWriter<Object> writer = new DataFileWriter<>(new GenericDatumWriter<>(schema))) {
            writer.setCodec(CodecFactory.fromString(codec));
            writer.setMeta("made.by", "Golden.java");
            Path file = here.resolve("made/" + name + ".avro");
            writer.create(schema, Files.newOutputStream(file), HexFormat.of().parseHex("000102030405060708090a0b0c0d0e0f"));
            int rows = 0;
            for (String line : Files.readAllLines(here.resolve(rowsFile))) {
                writer.append(value(schema, line));
                rows++;
                if (rows % 10 == 0) {
                    writer.sync();
                }
            }
        }
    }

    private static Object value(Schema schema, String json) throws Exception {
        return new GenericDatumReader<>(schema).read(null, DecoderFactory.get().jsonDecoder(schema, json));
    }

    private static String version() {
        return Schema.class.getPackage().getImplementationVersion();
    }
}
