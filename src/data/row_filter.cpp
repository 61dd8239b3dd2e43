#include "data/row_filter.h"

#include <arrow/compute/api.h>
#include <arrow/compute/initialize.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/error.h"
#include "data/table_arrow.h"
#include "text/unicode.h"

namespace diptych {
namespace {

namespace compute = arrow::compute;
using compute::Expression;

constexpr const char* kSource = "--where";
constexpr std::size_t kMostBytes = 4096;  // Arrow walks an expression by recursion
constexpr int kMostDepth = 64;

struct Token {
  std::string word;  // empty at the end
  std::size_t begin = 0;
};

struct Operation {
  const char* sign;
  const char* function;  // Arrow's
};
constexpr Operation kOperations[] = {{"<=", "less_equal"}, {">=", "greater_equal"}, {"==", "equal"},
                                     {"!=", "not_equal"},  {"<>", "not_equal"},     {"<", "less"},
                                     {">", "greater"},     {"=", "equal"}};

bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         c == '.' || byte >= 0x80;
}
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

const Operation* operation(const std::string& word) {
  for (const Operation& row : kOperations) {
    if (word == row.sign) return &row;
  }
  return nullptr;
}

class Parser {
 public:
  Parser(const std::string& text, const arrow::Schema& schema) : text_(text), schema_(schema) {
    if (text.size() > kMostBytes) {
      throw Error(ErrorKind::usage, fmt::format("is longer than {} characters", kMostBytes),
                  kSource);
    }
    advance();
  }

  std::vector<RowFilter::Condition> read() {
    std::vector<RowFilter::Condition> conditions;
    if (now_.word.empty()) return conditions;
    const Expression whole = either(&conditions);
    if (!now_.word.empty()) fail(now_.begin, "'and' or 'or' is missing here");
    if (conditions.empty()) conditions.push_back({text_, whole});
    return conditions;
  }

 private:
  [[noreturn]] void fail(std::size_t at, const std::string& message, const std::string& hint = {}) {
    const std::size_t column = code_points(std::string_view(text_).substr(0, at)).size();
    std::string shown = text_;
    std::replace_if(shown.begin(), shown.end(), is_space, ' ');
    std::string place = shown + "\n  " + std::string(column, ' ') + "^";
    if (!hint.empty()) place += "\n  " + hint;
    throw Error(ErrorKind::usage, message, fmt::format("{}, character {}", kSource, column + 1),
                place);
  }

  // The longest sign first; signs of numbers belong to them.
  void advance() {
    while (next_ < text_.size() && is_space(text_[next_])) ++next_;
    now_ = {"", next_};
    const auto take_words = [&] {
      while (next_ < text_.size() && is_word(text_[next_])) {
        const bool is_exponent = (text_[next_] == 'e' || text_[next_] == 'E') &&
                                 next_ + 1 < text_.size() && starts_number();
        ++next_;
        if (is_exponent && (text_[next_] == '-' || text_[next_] == '+')) ++next_;
      }
    };
    if (next_ == text_.size()) return;
    const char c = text_[next_];
    if (is_word(c)) {
      take_words();
    } else if (c == '-' || c == '+') {
      ++next_;
      take_words();
    } else {
      const std::string pair = text_.substr(next_, 2);
      next_ += operation(pair) && pair.size() == 2 ? 2 : 1;
    }
    now_.word = text_.substr(now_.begin, next_ - now_.begin);
  }

  bool starts_number() const {
    return std::string_view("0123456789.+-").find(text_[now_.begin]) != std::string_view::npos;
  }

  bool accept(const char* word) {
    std::string lower = now_.word;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (lower != word) return false;
    end_ = next_;
    advance();
    return true;
  }

  // top: where the conditions go if nothing but "and" joins them.
  Expression either(std::vector<RowFilter::Condition>* top) {
    Expression left = both(top);
    while (accept("or")) {
      if (top) top->clear();
      left = compute::or_(std::move(left), both(nullptr));
    }
    return left;
  }

  Expression both(std::vector<RowFilter::Condition>* top) {
    std::optional<Expression> all;
    do {
      const std::size_t begin = now_.begin;
      Expression one = negated();
      if (top) top->push_back({text_.substr(begin, end_ - begin), one});
      all = all ? compute::and_(std::move(*all), std::move(one)) : std::move(one);
    } while (accept("and"));
    return *all;
  }

  Expression negated() {
    if (++depth_ > kMostDepth) fail(now_.begin, "is nested too deeply");
    std::optional<Expression> inner;
    const std::size_t begin = now_.begin;
    if (accept("not")) {
      inner = compute::not_(negated());
    } else if (accept("(")) {
      inner = either(nullptr);
      if (!accept(")")) fail(now_.begin, "')' is missing here", opened_at(begin));
    } else {
      inner = comparison();
    }
    --depth_;
    return *inner;
  }

  static std::string opened_at(std::size_t begin) {
    return fmt::format("the '(' at character {} is still open", begin + 1);
  }

  Expression comparison() {
    Expression left = operand();
    const Operation* const sign = operation(now_.word);
    if (!sign) fail(now_.begin, "a comparison is missing here", "one of < <= > >= = !=");
    advance();
    Expression right = operand();
    if (operation(now_.word)) {
      fail(now_.begin, "a comparison has two sides", "write a<b and b<c");
    }
    return compute::call(sign->function, {std::move(left), std::move(right)});
  }

  Expression operand() {
    const Token token = now_;
    const bool is_name = !token.word.empty() && is_word(token.word.front());
    const bool is_keyword = accept("and") || accept("or") || accept("not");
    if (is_keyword || token.word.empty() || (!is_name && !starts_number())) {
      fail(token.begin, "a column or a number is missing here");
    }
    const bool is_number = starts_number();
    end_ = next_;
    advance();
    return is_number ? number(token) : column(token);
  }

  Expression number(const Token& token) {
    const char* const first = token.word.data() + (token.word.front() == '+');
    const char* const last = token.word.data() + token.word.size();
    std::int64_t whole = 0;
    if (const auto read = std::from_chars(first, last, whole);
        read.ec == std::errc() && read.ptr == last) {
      return compute::literal(whole);
    }
    double value = 0;
    const auto read = std::from_chars(first, last, value);
    if (read.ec != std::errc() || read.ptr != last) {
      fail(token.begin, fmt::format("'{}' is no number", token.word));
    }
    return compute::literal(value);
  }

  Expression column(const Token& token) {
    const auto names = schema_.field_names();
    const auto count = std::count(names.begin(), names.end(), token.word);
    if (count != 1) {
      const std::string nearest = did_you_mean(token.word, names);
      fail(token.begin,
           (count ? "several columns are named '" : "there is no column '") + token.word + "'",
           fmt::format("{}{}columns: {}", nearest, nearest.empty() ? "" : " ",
                       fmt::join(names, ", ")));
    }
    const auto& type = schema_.GetFieldByName(token.word)->type();
    if (!arrow::is_integer(type->id()) && !arrow::is_floating(type->id())) {
      fail(token.begin,
           fmt::format("the column '{}' holds {}, not numbers", token.word, type->ToString()));
    }
    return compute::field_ref(arrow::FieldRef(std::string(token.word)));
  }

  const std::string& text_;
  const arrow::Schema& schema_;
  Token now_;
  std::size_t next_ = 0;  // behind now_
  std::size_t end_ = 0;   // of what was accepted last
  int depth_ = 0;
};

}  // namespace

RowFilter::RowFilter(const std::string& text, std::shared_ptr<arrow::Schema> schema)
    : schema_(std::move(schema)) {
  if (const auto status = compute::Initialize(); !status.ok()) refuse(kSource, status);
  conditions_ = Parser(text, *schema_).read();
  for (Condition& condition : conditions_) {
    condition.holds = value_of(condition.holds.Bind(*schema_), kSource);
  }
}

std::vector<int> RowFilter::first_failures(const arrow::RecordBatch& rows) const {
  std::vector<int> failures(static_cast<std::size_t>(rows.num_rows()), -1);
  for (std::size_t c = 0; c < conditions_.size() && rows.num_rows() > 0; ++c) {
    const compute::ExecBatch batch(rows);
    const auto result =
        value_of(compute::ExecuteScalarExpression(conditions_[c].holds, batch), kSource);
    const auto holds =
        result.is_scalar()
            ? value_of(arrow::MakeArrayFromScalar(*result.scalar(), rows.num_rows()), kSource)
            : result.make_array();
    const auto& truths = static_cast<const arrow::BooleanArray&>(*holds);
    for (std::size_t i = 0; i < failures.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      const bool fails = truths.IsNull(row) || !truths.Value(row);
      if (failures[i] < 0 && fails) failures[i] = static_cast<int>(c);
    }
  }
  return failures;
}

}  // namespace diptych
