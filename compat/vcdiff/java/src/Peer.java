// The peer that is jvcdiff, from Maven (see ../../README.md). Its streams over bytes are asked for as its files would be.
import java.io.*;
import java.nio.ByteBuffer;
import java.nio.file.*;
import java.util.Arrays;
import net.dongliu.vcdiff.*;

public class Peer {
  static byte[] next(ByteBuffer bytes) {
    byte[] value = new byte[bytes.getInt()];
    bytes.get(value);
    return value;
  }

  public static void main(String[] args) throws Exception {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(Path.of(args[0])));
    Path folder = Files.createTempDirectory("twiglog-jvcdiff");
    File from = folder.resolve("source").toFile(), with = folder.resolve("input").toFile(), to = folder.resolve("output").toFile();
    int right = 0;
    try (DataOutputStream theirs = new DataOutputStream(new BufferedOutputStream(new FileOutputStream(args[1])))) {
      for (int i = 0; bytes.hasRemaining(); i++) {
        byte[] source = next(bytes), target = next(bytes), delta = next(bytes);
        Files.write(from.toPath(), source);
        Files.write(with.toPath(), delta);
        Files.deleteIfExists(to.toPath());
        try {
          VcdiffDecoder.decode(from, with, to);
          if (Arrays.equals(Files.readAllBytes(to.toPath()), target)) right++;
          else System.out.println("wrong " + i + " other bytes");
        } catch (Exception problem) {
          System.out.println("wrong " + i + " " + problem);
        }
        ByteArrayOutputStream made = new ByteArrayOutputStream();
        VcdiffEncoder encoder = new VcdiffEncoder(new ByteArrayInputStream(source), new ByteArrayInputStream(target), made);
        // One window for each value.
        encoder.setWindowSize(Math.max(1, target.length));
        encoder.encode();
        theirs.writeInt(made.size());
        made.writeTo(theirs);
      }
    } finally {
      for (File each : new File[] {from, with, to}) each.delete();
      Files.delete(folder);
    }
    System.out.println("right " + right);
  }
}
