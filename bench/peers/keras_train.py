"""The paper's network in Keras: a model of several inputs as the functional API's guide builds it, fed as
its tutorial on images does, by the pipeline behind image_dataset_from_directory with the text beside it,
cached and prefetched. Prints samples/s of the first epoch, counted from after the imports, and of the
last, and the accuracy on rows of the split "test".
Usage: keras_train.py DATA SIDE ROWS EPOCHS"""
import csv, json, os, sys, time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import tensorflow as tf
from keras import layers

data, side, count, epochs = sys.argv[1], *map(int, sys.argv[2:5])
keras.utils.set_random_seed(1)
start = time.perf_counter()
table = list(csv.DictReader(open(f"{data}/data.csv", encoding="utf-8")))
rows = [row for row in table if row.get("split", "train") == "train"][:count]
labels = sorted({row["label"] for row in rows})
vectorize = layers.TextVectorization(max_tokens=20000, output_sequence_length=32)
vectorize.adapt(tf.data.Dataset.from_tensor_slices([row["text"] for row in rows]).batch(1024))


def load(path, text, label):
    image = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)
    return tf.image.resize(image, (side, side)), text, label


def vectorized(image, text, label):
    return {"image": image, "text": vectorize(text)}, label


def batches(rows):
    dataset = tf.data.Dataset.from_tensor_slices(
        ([f"{data}/{row['image']}" for row in rows], [row["text"] for row in rows],
         [labels.index(row["label"]) for row in rows]))
    dataset = dataset.map(load, num_parallel_calls=tf.data.AUTOTUNE).batch(32)
    return dataset.map(vectorized, num_parallel_calls=tf.data.AUTOTUNE)


dataset = batches(rows).cache().shuffle(len(rows) // 32).prefetch(tf.data.AUTOTUNE)
image, text = keras.Input((side, side, 3), name="image"), keras.Input((32,), dtype="int64", name="text")
x = layers.Rescaling(1 / 255)(image)
for channels in (32, 64, 128):
    x = layers.MaxPooling2D()(layers.Conv2D(channels, 3, padding="same", activation="relu")(x))
x = layers.Dense(128, activation="relu")(layers.Flatten()(x))
y = layers.LSTM(128)(layers.Embedding(vectorize.vocabulary_size(), 128, mask_zero=True)(text))
z = layers.Dense(128, activation="relu")(layers.concatenate([x, y]))
model = keras.Model([image, text], layers.Dense(len(labels))(z))
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])


class Clock(keras.callbacks.Callback):
    ends = [start]

    def on_epoch_end(self, epoch, logs=None):
        self.ends.append(time.perf_counter())


model.fit(dataset, epochs=epochs, callbacks=[Clock()], verbose=0)
speeds = [len(rows) / (end - begin) for begin, end in zip(Clock.ends, Clock.ends[1:])]
held_out = [row for row in table if row.get("split") == "test"]
accuracy = model.evaluate(batches(held_out), verbose=0)[1] if held_out else 0
print(json.dumps({"first": speeds[0], "later": speeds[-1], "accuracy": accuracy}))
