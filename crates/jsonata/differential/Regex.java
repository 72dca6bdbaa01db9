import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Answers {@code pattern flags text} (base64, on one line each) with the groups of the first match (base64, {@code ~} for
 * none), {@code -} without a match, {@code error} for a pattern that is refused, {@code skip} where it takes too long.
 */
public class Regex {
  /** A text that ends a search after so many looks at it. */
  static class Bounded implements CharSequence {
    final CharSequence text;
    int left = 300_000;

    Bounded(CharSequence text) {
      this.text = text;
    }

    public char charAt(int at) {
      if (left-- < 0) throw new IllegalStateException();
      return text.charAt(at);
    }

    public int length() {
      return text.length();
    }

    public CharSequence subSequence(int from, int to) {
      return text.subSequence(from, to);
    }
  }

  static String decode(String text) {
    return new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_8);
  }

  static String answer(String[] parts) {
    int flags = (parts[1].contains("i") ? Pattern.CASE_INSENSITIVE : 0) | (parts[1].contains("m") ? Pattern.MULTILINE : 0);
    try {
      Matcher matcher = Pattern.compile(decode(parts[0]), flags).matcher(new Bounded(decode(parts[2])));
      if (!matcher.find()) return "-";
      StringBuilder out = new StringBuilder();
      for (int group = 0; group <= matcher.groupCount(); group++) {
        String found = matcher.group(group);
        if (group > 0) out.append(' ');
        out.append(found == null ? "~" : "=" + Base64.getEncoder().encodeToString(found.getBytes(StandardCharsets.UTF_8)));
      }
      return out.toString();
    } catch (PatternSyntaxException error) {
      // Which unbounded look-behinds are refused follows from what overflows in Java: not compared.
      return error.getDescription().startsWith("Look-behind") ? "skip" : "error";
    } catch (RuntimeException | Error error) {
      return "skip";
    }
  }

  public static void main(String[] arguments) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    StringBuilder out = new StringBuilder();
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.append(answer(line.split(" ", -1))).append('\n');
    }
    System.out.print(out);
  }
}
